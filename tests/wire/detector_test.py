"""Detectors in processes of their own, over real ZeroMQ: detector_test.py CASE PATH_TO_STRIGIL.

STRIGIL_DETECTOR_RUNS: how many runs `same` makes (3; the full size is 100).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

STRIGIL = sys.argv[2]
HOME = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"
WIRE = "--endpoint {endpoint} --answers {answers}"
EXAMPLE = f"{PYTHON} {HOME}/docs/examples/detector.py {{endpoint}} {{answers}}"

PATIENT = ["--patience", "60", "--lag", "60"]  # on a computer that may be busy with other things

PROTOCOL = """
[protocol]
name = "there_and_back"
title = "{strokes} strokes of 60 mm over one lane"
[approach]
start_x_mm = 30
start_z_mm = -25
deepest_z_mm = -55
speed_mm_s = 10
contact_force_N = 0.3
[press]
normal_force_N = 4
tolerance_percent = 5
[stroke]
length_mm = 60
speed_mm_s = 60
directions = "both"
repeats = {repeats}
[limits]
max_force_N = 12
[verdict]
force_tolerance_percent = 50
"""


def detect(name):
    return f"{STRIGIL} detect {WIRE} --detector {name}"


def strigil(*arguments, timeout=240):
    return subprocess.run([STRIGIL, *map(str, arguments)], capture_output=True, text=True, timeout=timeout)


def run(folder, seed, *arguments, repeats=1):
    protocol = folder / "there_and_back.toml"
    protocol.write_text(PROTOCOL.format(repeats=repeats, strokes=2 * repeats))
    file = folder / f"{seed}.h5"
    done = strigil("run", protocol, "--virtual", "--phantom", "myofascial_taut_band", "--seed", seed, "--out", file,
                   "--quiet", *arguments)
    assert done.returncode in (0, 1, 2), done.stdout + done.stderr  # a verdict; which one is not this test's matter
    return file, done


def without(document, *members):
    return {k: v for k, v in document.items() if k not in members}


def answers(document):
    """All that was answered, by detector and stroke."""
    strokes = [s for h in document["hearings"] for s in h["strokes"]]
    return sorted(strokes, key=lambda s: (s["detector"], s["began_ns"]))


def same(folder):
    """What a detector answers live, in replay and in process is the same to the last bit, and so is the judgement."""
    runs = int(os.environ.get("STRIGIL_DETECTOR_RUNS", "3"))
    commands = (detect("glr"), EXAMPLE)
    detections = 0
    for seed in range(1, runs + 1):
        live_file, replay_file, within_file = (folder / f"{seed}-{n}.json" for n in ("live", "replay", "within"))
        options = [word for c in commands for word in ("--detector-command", c)] + PATIENT
        file, _ = run(folder, seed, *options, "--heard", live_file)
        options = [word for c in commands for word in ("--command", c)] + PATIENT
        judged = strigil("judge", file, *options, "--json", replay_file)
        assert judged.returncode in (0, 1), judged.stdout + judged.stderr
        judged = strigil("judge", file, "--detector", "glr", "--json", within_file)
        assert judged.returncode in (0, 1), judged.stdout + judged.stderr
        live, replay, within = (json.loads(p.read_text()) for p in (live_file, replay_file, within_file))
        assert live["findings"] == [] and replay["findings"] == [], (live["findings"], replay["findings"])
        assert without(live, "lag") == without(replay, "lag"), f"seed {seed}: live and replay differ"
        mine = [s for s in answers(live) if s["detector"] == "glr"]
        assert mine == answers(within), f"seed {seed}: in a process of its own and within differ"
        theirs = [s for s in answers(live) if s["detector"] == "example.py"]
        assert len(mine) == len(theirs) == 2 and live["judgement"] is not None, (mine, theirs)
        assert all(s["detections"] for s in mine + theirs), (mine, theirs)
        detections += sum(len(s["detections"]) for s in mine + theirs)
        file.unlink()
        if seed % 10 == 0:
            print(f"{seed} runs, {detections} detections, all identical", flush=True)
    print(f"same: {runs} runs, {detections} detections, all identical")


def caught(folder):
    """Each cheat and each breakdown is named, by what it is."""
    file, _ = run(folder, 1, repeats=2)
    scripts = {"silent": "import time; time.sleep(60)", "ends": "raise SystemExit('no licence')"}
    for name, text in scripts.items():
        (folder / f"{name}.py").write_text(text)
    cases = {detect("cheat:clairvoyant"): ["clairvoyant"], detect("cheat:truth_peeker"): ["asked for the truth"],
             detect("cheat:hang"): ["hung"], detect("cheat:crash"): ["crashed"], detect("glr"): [], EXAMPLE: [],
             f"{PYTHON} {folder}/ends.py": ["never came"]}
    options = [word for c in cases for word in ("--command", c)]
    report = folder / "caught.json"
    began = time.monotonic()
    judged = strigil("judge", file, *options, "--patience", 3, "--lag", 30, "--json", report)
    assert judged.returncode == 1, judged.stdout + judged.stderr
    found = json.loads(report.read_text())["findings"]
    named = sorted((f["detector"], f["of"]) for f in found)
    assert named == sorted([("clairvoyant", "clairvoyant"), ("truth peeker", "asked for the truth"), ("hang", "hung"),
                            ("crash", "crashed"), (f"{PYTHON} {folder}/ends.py", "never came")]), found
    words = {f["of"]: f["words"] for f in found}
    assert "exit code 70" in words["crashed"] and "no licence" in words["never came"], words
    for f in found:
        assert f"'{f['detector']}'" in judged.stdout, judged.stdout
    left = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True).stdout.split()
    assert [p for p in left if int(p) != os.getpid()] == [], left
    refused = strigil("judge", file, "--command", "there-is-no-such-program")
    assert refused.returncode == 3 and "there-is-no-such-program" in refused.stderr, refused.stderr
    print(f"caught: {named} in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="strigil-detector-test-") as made:
        {"same": same, "caught": caught}[sys.argv[1]](pathlib.Path(made))
