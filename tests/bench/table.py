"""One table of what the benchmarks have found: table.py [--smoke] OUT.json FIGURES...; FIGURES are files without their
.json.

Exits with 1 when a figure misses its bar; with --smoke (nobody measured: it was only seen to run) it says so and exits
with 0.
"""
import json
import os
import pathlib
import platform
import sys


def short(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def miss(figure):
    """What a figure lacks to its bar as words, or nothing."""
    judged = figure["judged"]
    if "at_least" in figure and not judged >= figure["at_least"]:
        return f"{judged:.3g} is {100 * (1 - judged / figure['at_least']):.1f} % below its bar of {figure['at_least']:g}"
    if "at_most" in figure and not judged <= figure["at_most"]:
        return f"{judged:.3g} is {100 * (judged / figure['at_most'] - 1):.1f} % above its bar of {figure['at_most']:g}"
    return ""


def bar(figure):
    if "at_least" in figure:
        return f">= {short(figure['at_least'])}"
    return f"<= {short(figure['at_most'])}" if "at_most" in figure else "-"


def main():
    arguments = sys.argv[1:]
    smoke = "--smoke" in arguments
    out, *names = [a for a in arguments if a != "--smoke"]
    figures = []
    for name in names:
        for figure in json.loads(pathlib.Path(name + ".json").read_text()):
            figure["benchmark"] = pathlib.Path(name).name
            figure["missed"] = miss(figure)
            figures.append(figure)
    model = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    machine = {"cores": os.cpu_count(), "processor": model[0] if model else platform.machine(),
               "kernel": platform.release()}
    pathlib.Path(out).write_text(json.dumps({"machine": machine, "figures": figures}, indent=1) + "\n")
    head = ["", "unit", "ours", "reference", "judged", "bar", ""]
    rows = [[f["name"], f["unit"], short(f["ours"]), short(f.get("reference")), f"{f['judged']:.3g}", bar(f),
             "MISSED" if f["missed"] else "met" if bar(f) != "-" else ""] for f in figures]
    width = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, width))))
    print(f"{machine['cores']} cores, {machine['processor']}; {out}")
    missed = [f for f in figures if f["missed"]]
    for f in missed:
        print(f"missed: {f['name']}: {f['missed']}", file=sys.stderr)
    sys.exit(1 if missed and not smoke else 0)


main()
