#!/usr/bin/python3
"""Draws clock_bound.svg (docs/time.md) from the table that the property test writes:

    STRIGIL_CLOCK_CSV=clock.csv build/release/tests/test_daq --gtest_filter='*ClockWorlds*'
    /usr/bin/python3 docs/figures/plot_clock.py clock.csv docs/figures/clock_bound.svg     # needs python3-matplotlib
"""
import collections, csv, sys
import matplotlib
matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "strigil", "font.size": 9, "svg.fonttype": "none"})
import matplotlib.pyplot as plt

SHOWN_LINK_US, SHOWN_WORLD = 1000, 3  # of which one run is drawn: any would do
ratios = collections.defaultdict(list)
shown = collections.defaultdict(list)
with open(sys.argv[1], newline="") as file:
    for row in csv.DictReader(file):
        link, fit = int(row["batch_us"]), row["fit"]
        error, bound = float(row["error_us"]), float(row["bound_us"])
        ratios[fit, link].append(error / bound)
        if link == SHOWN_LINK_US and int(row["world"]) == SHOWN_WORLD:
            shown[fit].append((float(row["second"]), error, bound))

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), constrained_layout=True)
for fit, colour in (("causal", "tab:red"), ("two-sided", "tab:blue")):
    seconds, errors, bounds = zip(*shown[fit])
    left.plot(seconds, bounds, color=colour, label=f"{fit}: stated bound")
    left.plot(seconds, errors, color=colour, linestyle="none", marker=".", label=f"{fit}: error")
left.set(yscale="log", xlabel="s", ylabel="us", title=f"one run, polls every {SHOWN_LINK_US / 1000:g} ms")
left.legend(fontsize=7)
colours = plt.get_cmap("viridis")
links = sorted({link for _, link in ratios})
for i, link in enumerate(links):
    for fit, style in (("causal", "-"), ("two-sided", ":")):
        values = sorted(ratios[fit, link])
        share = [(n + 1) / len(values) for n in range(len(values))]
        label = f"{link / 1000:g} ms" if fit == "causal" else None
        step = max(1, len(values) // 400)
        right.plot(values[::step], share[::step], style, color=colours(i / len(links)), label=label)
right.axvline(1, color="black", linewidth=0.8)
right.axhline(0.95, color="black", linewidth=0.8, linestyle="--")
right.set(xscale="log", xlim=(0.01, 5), ylim=(0, 1.02), xlabel="worst error of a second / stated bound",
          ylabel="share of seconds", title="all 2,000 runs by polling period (dotted: two-sided)")
right.legend(fontsize=7, loc="upper left")
figure.savefig(sys.argv[2], metadata={"Date": None})
