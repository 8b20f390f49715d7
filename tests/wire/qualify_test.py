"""strigil qualify, the real program: qualify_test.py PATH_TO_STRIGIL.

No time is asserted that the test itself does not make: the computer may be busy. What is made: load on every processor,
and a stall of the whole program (SIGSTOP), as a computer makes that sleeps or swaps.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

STRIGIL = sys.argv[1]
STALL_S = 0.4


def qualify(folder, *arguments):
    return subprocess.Popen([STRIGIL, "qualify", "--dir", folder, "--json", *map(str, arguments)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def report(process, code=0):
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, (process.returncode, out, err)
    return json.loads(out)


def check_structure(r):
    assert r["grade"] in "ABCD" and r["may_run"], r
    assert set(r["limits"]) == {"A", "B", "C"}, r
    for name in ("wake", "round_trip", "disk"):
        m = r["measured"][name]
        assert m["count"] > 0 or r["grade"] == "D", r
        assert m["p50_s"] <= m["p99_s"] <= m["p999_s"] <= m["max_s"], r
    # The grade is what the figures say: the limits of every better grade are broken somewhere, or the time was short.
    for grade in "ABC":
        limits, m = r["limits"][grade], r["measured"]
        kept = (m["wake"]["p999_s"] <= limits["wake_p999_s"] and
                m["round_trip"]["p999_s"] <= limits["round_trip_p999_s"] and
                m["longest_stall_s"] <= limits["longest_stall_s"] and
                m["disk"]["max_s"] <= limits["longest_disk_s"])
        if r["grade"] <= grade:
            assert kept, (grade, r)
    assert (r["grade"] == "A") == (not r["reasons"]), r


def started(process, folder):
    """Waits until it measures: its trial file is there."""
    until = time.monotonic() + 60
    while not list(folder.glob(".qualify-*")):
        assert process.poll() is None and time.monotonic() < until, "it never began"
        time.sleep(0.01)


with tempfile.TemporaryDirectory(prefix="strigil-qualify-") as temporary:
    runs = pathlib.Path(temporary) / "runs"

    quiet = report(qualify(runs, "--seconds", 2))
    check_structure(quiet)
    assert quiet["grade"] in "CD", "two seconds are too short for force control"
    assert any("measure longer" in reason for reason in quiet["reasons"]) or quiet["grade"] == "D", quiet
    assert not list(runs.iterdir()), "something was left behind"

    # Load on every processor at once: whatever the figures become, the report holds together.
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        check_structure(report(qualify(runs, "--seconds", 2)))
    finally:
        for process in load:
            process.kill()
            process.wait()

    # A stall of 0.4 s is longer than any grade bears, on any computer.
    process = qualify(runs, "--seconds", 3)
    started(process, runs)
    time.sleep(0.5)
    process.send_signal(signal.SIGSTOP)
    time.sleep(STALL_S)
    process.send_signal(signal.SIGCONT)
    stalled = report(process)
    check_structure(stalled)
    assert stalled["measured"]["longest_stall_s"] > 0.9 * STALL_S, stalled
    assert stalled["grade"] == "D" >= quiet["grade"], stalled
    assert "longest stall" in " ".join(stalled["reasons"]), stalled

    report(qualify(runs, "--seconds", 0.6, "--at-least", "A"), code=1)
    report(qualify(runs, "--seconds", 0.6, "--at-least", "d"))
    refused = qualify(runs, "--at-least", "E")
    assert refused.communicate(timeout=60)[1].count("no grade") == 1 and refused.returncode == 3
    refused = qualify("/proc/nowhere")
    assert "--dir" in refused.communicate(timeout=60)[1] and refused.returncode == 3
    print(f"qualify: grade {quiet['grade']} in two quiet seconds, {stalled['grade']} with a stall")
