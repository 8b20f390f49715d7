#!/usr/bin/python3
"""Draws the figures of docs/physics.md from what the verification tests write:

    mkdir -p csv
    STRIGIL_FULL_SIZE=1 STRIGIL_PHYSICS_CSV=csv build/release/tests/test_sim \\
        --gtest_filter='LayerStack*:LuGre*:Relaxation*:Tissue*'
    /usr/bin/python3 docs/figures/plot_physics.py csv docs/figures     # needs python3-matplotlib
"""
import collections
import csv
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "strigil", "font.size": 9, "svg.fonttype": "none"})
import matplotlib.pyplot as plt

source, target = (pathlib.Path(a) for a in sys.argv[1:3])


def rows(name):
    with open(source / f"{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


def column(table, key):
    return [float(row[key]) for row in table]


def figure(name, width=4.6, height=3.2, panels=1):
    fig, axes = plt.subplots(1, panels, figsize=(width, height), constrained_layout=True)
    return fig, axes, lambda: fig.savefig(target / f"physics_{name}.svg", metadata={"Date": None})


# Hertz
fig, axis, save = figure("hertz")
table = rows("hertz")
for modulus, style in ((10, ":"), (30, "-"), (150, "--")):
    for radius, colour in ((1, "tab:blue"), (3, "tab:orange"), (6, "tab:green")):
        some = [r for r in table if float(r["modulus_kPa"]) == modulus and float(r["radius_mm"]) == radius]
        axis.plot(column(some, "half_width_by_radius"), column(some, "depth_by_johnson"), style, color=colour,
                  label=f"{modulus} kPa, R {radius} mm")
axis.axhspan(0.98, 1.02, color="0.9")
axis.set(xscale="log", xlabel="contact's half-width / edge's radius", ylabel="depth / Johnson's", ylim=(0.6, 1.05),
         title="one deep layer against Hertz line contact")
axis.legend(fontsize=6)
save()

# Moduli
fig, axis, save = figure("moduli", width=5.4)
table = rows("moduli")
axis.errorbar(range(len(table)), column(table, "database_kPa"), yerr=column(table, "sd_kPa"), fmt="o", capsize=3,
              label="database, mean and sd")
axis.plot(range(len(table)), column(table, "ours_kPa"), "x", color="tab:red", label="our layer at 2 %")
axis.set(yscale="log", ylabel="kPa", title="silicones in compression")
axis.set_xticks(range(len(table)), [r["label"] for r in table], rotation=60, fontsize=6, ha="right")
axis.legend(fontsize=7)
save()

# Relaxation
fig, axis, save = figure("relaxation")
table = rows("relaxation")
time = column(table, "time_s")
axis.fill_between(time, column(table, "low"), column(table, "high"), color="0.88", label="range of its parameters")
axis.plot(time, column(table, "mean_of_25"), "k--", label="mean of 25 curves of meat")
axis.plot(time, column(table, "ours"), color="tab:red", label="the plant, muscle")
axis.set(xlabel="s", ylabel="force / force at the hold's beginning", ylim=(0.25, 1.02), title="press and hold")
axis.legend(fontsize=7)
save()

# Stick-slip
fig, axis, save = figure("stick_slip", width=3.6)
table = rows("stick_slip")
axis.plot(column(table, "speed_mm_s"), column(table, "closed_form_N_s_m"), "k-", label="N |d mu / dv|")
axis.plot(column(table, "speed_mm_s"), column(table, "found_N_s_m"), "o", color="tab:red", label="found by bisection")
axis.set(xlabel="mm/s", ylabel="damping, N s/m", title="below it sticks and slips", ylim=(0, None))
axis.legend(fontsize=7)
save()

# Indentation
fig, axes, save = figure("indentation", width=8, height=2.8, panels=3)
records = collections.defaultdict(list)
for row in rows("indentation"):
    records[row["record"]].append(row)
for axis, (name, table) in zip(axes, records.items()):
    axis.plot(column(table, "depth_mm"), column(table, "measured_N"), "k-", linewidth=0.9, label="measured")
    axis.plot(column(table, "depth_mm"), column(table, "ours_N"), color="tab:red", linewidth=0.9, label="the plant")
    axis.set(xlabel="mm", ylabel="N", title=name.split("_mN")[0] + " mN")
axes[0].legend(fontsize=7)
save()

# Energy
fig, axis, save = figure("energy", width=3.6)
table = rows("energy")
axis.loglog(column(table, "put_in_mJ"), [max(1e-4, v) for v in column(table, "stored_mJ")], ".", markersize=2)
low, high = axis.get_xlim()
axis.plot([low, high], [low, high], "k-", linewidth=0.8)
axis.set(xlabel="put in once round, mJ", ylabel="stored at the end, mJ", title="250 random closed ways")
save()

# Convergence
fig, axis, save = figure("convergence", width=3.6)
table = rows("convergence")
step = column(table, "step_us")
axis.loglog(step, column(table, "normal_rms_N"), "o-", label="normal")
axis.loglog(step, column(table, "drag_rms_N"), "s-", label="drag")
axis.loglog(step, [table and float(table[-1]["normal_rms_N"]) * s / step[-1] for s in step], "k:", label="first order")
axis.set(xlabel="step, us", ylabel="RMS against 4 us, N", title="step size")
axis.legend(fontsize=7)
save()

# Inclusion
fig, axis, save = figure("inclusion", width=3.6)
table = rows("inclusion")
for diameter, colour in ((8, "tab:blue"), (12, "tab:orange"), (20, "tab:green")):
    some = [r for r in table if round(float(r["diameter_mm"])) == diameter]
    axis.plot(column(some, "law"), column(some, "felt"), ".", color=colour, label=f"{diameter} mm across")
axis.plot([0, 1], [0, 1], "k-", linewidth=0.8)
axis.set(xlabel="w by the law", ylabel="felt through the plant", title="inclusions of contrast 2")
axis.legend(fontsize=7)
save()

# Texture
fig, axes, save = figure("texture", width=8, height=2.8, panels=3)
table = rows("texture")
speed = [r for r in table if r["what"] == "speed"]
force = [r for r in table if r["what"] == "force"]
v, rms = column(speed, "speed_mm_s"), column(speed, "rms_m_s2")
axes[0].fill_between([40, 80, 125, 200], [0.25, 0.33, 0.47, 0.92], [0.71, 1.08, 1.97, 2.35], color="0.9",
                     label="p10 to p50 of 100 materials")
axes[0].loglog(v, rms, "o", color="tab:red", label="the plant")
axes[0].loglog(v, [rms[2] * (s / v[2]) ** 0.99 for s in v], "k:", label="v^0.99")
axes[0].set(xlabel="mm/s", ylabel="RMS, m/s2")
axes[0].legend(fontsize=7)
n, rms = column(force, "normal_N"), column(force, "rms_m_s2")
axes[1].loglog(n, rms, "o", color="tab:red")
axes[1].loglog(n, [rms[1] * (s / n[1]) ** 0.09 for s in n], "k:", label="F^0.09")
axes[1].set(xlabel="N", ylabel="RMS, m/s2", ylim=(0.1, 1))
axes[1].legend(fontsize=7)
axes[2].plot(v, column(speed, "centroid_Hz"), "o", color="tab:red", label="the plant")
first = float(speed[0]["centroid_Hz"])
axes[2].plot(v, [first * s / v[0] for s in v], "k:", label="if f = v / wavelength")
axes[2].set(xlabel="mm/s", ylabel="centroid, Hz", ylim=(0, None))
axes[2].legend(fontsize=7)
save()
