"""Ctrl-Z in mid-stroke, over real wires: suspend_test.py PATH_TO_STRIGIL.

The program is not stopped by it: it comes to rest, lifts, waits, and at the next Ctrl-Z makes the stroke again. Judged by
what the simulated phantom felt. The bench is patient, as a computer that is busy with other things must fail no test here.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from patient import HOME, patient_bench

STRIGIL = sys.argv[1]


def protocol(folder):
    path = folder / "slow.toml"
    text = (HOME / "protocols/library/smoke.toml").read_text()
    text, found = re.subn(r"(?m)^speed_mm_s = 60$", "speed_mm_s = 15", text)  # time to press Ctrl-Z
    assert found == 1
    path.write_text(text + "\n[suspend]\nhold_s = 0.3\n")
    return path


def truth(folder):
    rows = (folder / "truth.csv").read_text().split("\n")[1:-1]
    return [tuple(float(cell) for cell in row.split(",")) for row in rows if row.count(",") == 5]


def wait_for(what, seconds=90):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


with tempfile.TemporaryDirectory(prefix="strigil-suspend-") as temporary:
    os.environ["STRIGIL_HOME"] = str(HOME)
    folder = pathlib.Path(temporary)
    wires = folder / "wires"
    bench = folder / "patient.toml"
    bench.write_text(patient_bench())
    with open(folder / "sim.log", "w") as log:
        sim = subprocess.Popen([STRIGIL, "sim", "--dir", wires, "--bench", bench, "--truth",
                                folder / "truth.csv"], stdout=log, stderr=log)
    try:
        wait_for(lambda: "ready" in (folder / "sim.log").read_text())
        said = folder / "run.log"
        with open(said, "w") as log:
            run = subprocess.Popen([STRIGIL, "run", protocol(folder), "--bench", wires / "bench.toml", "--json", "--out",
                                    folder / "run.h5"], stdout=subprocess.PIPE, stderr=log, text=True)
        # In mid-stroke: pressed, and 5 mm along.
        wait_for(lambda: run.poll() is not None or any(row[4] > 3 and row[1] > 45 for row in truth(folder)[-3:]))
        run.send_signal(signal.SIGTSTP)
        wait_for(lambda: run.poll() is not None or "clear of the phantom" in said.read_text())
        assert run.poll() is None, "Ctrl-Z ended the program: " + said.read_text()
        state = pathlib.Path(f"/proc/{run.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        assert state != "T", "Ctrl-Z stopped the program"
        before = len(truth(folder))
        time.sleep(0.7)
        waiting = truth(folder)[before:]
        assert waiting and all(row[4] == 0 and abs(row[1] - waiting[0][1]) < 0.01 for row in waiting), waiting
        run.send_signal(signal.SIGTSTP)
        out, _ = run.communicate(timeout=120)
    finally:
        sim.terminate()
        sim.wait()
    verdict = json.loads(out)
    assert run.returncode == 0 and verdict["judgement"] == "PASS", (out, said.read_text())
    assert [stroke["interrupted"] for stroke in verdict["strokes"]] == [1], verdict["strokes"]
    assert any("broken off by a suspension" in reason["text"] for reason in verdict["reasons"]), verdict["reasons"]
    assert "the run goes on" in said.read_text()
    peak = max(row[4] for row in truth(folder))
    assert peak < 10, peak
    print(f"suspended in mid-stroke, lifted, made again: PASS; highest force {peak:.2f} N")
