"""A shift begins on real wires: shift_test.py PATH_TO_STRIGIL.

A stage that does not know where it stands is refused, homed, refused for want of a stop test, tested, and runs; when a
stop has worsened it is refused again. With one make of stage: the others are homed and stopped in virtual time
(HomingTest, StopTestTest). The bench is patient: a busy computer must fail no test here.
"""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import h5py

from patient import patient_bench

STRIGIL = sys.argv[1]


def strigil(*arguments, timeout=180):
    return subprocess.run([STRIGIL, *map(str, arguments)], capture_output=True, text=True, timeout=timeout)


def bench_text(name, history):
    text = patient_bench(name, without=())
    text = text.replace("keeps_position = true", "keeps_position = false")
    text = text.replace("[stop_test]\n", f'[stop_test]\nrequired = true\nhistory = "{history}"\nrepeats = 1\n'
                                         "max_time_ms = 5000\nmax_travel_mm = 5\nmax_abort_travel_mm = 100\n"
                                         "max_peak_N = 60\nworse_by_percent = 1000\n")
    place = "start_known = false\nstart_x_mm = 60\nstart_z_mm = -15\n"
    if "[twin.stage]\n" in text:
        text = text.replace("[twin.stage]\n", "[twin.stage]\n" + place)
    else:
        text += "\n[twin.stage]\n" + place
    return text


def shift(name, folder):
    folder.mkdir()
    history = folder / "stops.jsonl"
    twin_bench = folder / "twin.toml"
    twin_bench.write_text(bench_text(name, history))
    sim = subprocess.Popen([STRIGIL, "sim", "--dir", folder / "wires", "--bench", twin_bench], stdout=subprocess.PIPE,
                           text=True)
    try:
        line = sim.stdout.readline()
        assert line.startswith("ready "), line
        bench = pathlib.Path(line.split(maxsplit=1)[1].strip())

        lost = strigil("stop-test", "--bench", bench)
        assert lost.returncode == 3 and "strigil home" in lost.stderr, (lost.returncode, lost.stderr)

        search = subprocess.Popen([STRIGIL, "home", "--bench", bench], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True)
        assert "homing" in search.stderr.readline()
        time.sleep(0.3)  # somewhere on its way; if it is there already this says so below
        search.send_signal(signal.SIGINT)
        _, err = search.communicate(timeout=60)
        assert search.returncode == 1 and "stopped by the operator" in err, (search.returncode, err)

        homed = strigil("home", "--bench", bench)
        assert homed.returncode == 0, homed.stderr
        assert "homed: the stage stands at x 0.000, y 0.000, z 0.000 mm" in homed.stdout, homed.stdout

        untested = strigil("run", "smoke", "--bench", bench, "--out", folder / "no.h5")
        assert untested.returncode == 3 and "no stop test has been made" in untested.stderr, untested.stderr
        assert not (folder / "no.h5").exists()

        test = strigil("stop-test", "--bench", bench)
        print(name, test.stdout, test.stderr, sep="\n")
        assert test.returncode == 0 and "STOP TEST: PASS" in test.stdout, (test.returncode, test.stdout, test.stderr)
        kept = [json.loads(row) for row in history.read_text().splitlines()]
        assert len(kept) == 1 and kept[0]["passed"] and not kept[0]["simulated"], kept
        assert sorted(s["kind"] for s in kept[0]["stops"]) == ["abort", "force_trip"], kept

        run = strigil("run", "smoke", "--bench", bench, "--out", folder / "yes.h5")
        assert (folder / "yes.h5").exists(), run.stderr
        with h5py.File(folder / "yes.h5", "r") as f:
            recorded = json.loads(bytes(f["config/stop_test.json"][()]))
        assert all(recorded[key] == kept[0][key] for key in ("at_ns", "setup", "passed")), (recorded, kept)

        text = bench.read_text()
        bench.write_text(text.replace("max_abort_travel_mm = 100", "max_abort_travel_mm = 0.1"))
        worse = strigil("stop-test", "--bench", bench)
        assert worse.returncode == 1 and "abort: the travel was" in worse.stdout, (worse.returncode, worse.stdout)
        blocked = strigil("run", "smoke", "--bench", bench, "--out", folder / "no.h5")
        assert blocked.returncode == 3 and "failed: abort: the travel was" in blocked.stderr, blocked.stderr
        bench.write_text(text.replace("trip_N", "#").replace("[stop_test]", "[stop_test]\ntrip_N = 6"))
        other = strigil("run", "smoke", "--bench", bench, "--out", folder / "no.h5")
        assert other.returncode == 3 and "another setup" in other.stderr, other.stderr
    finally:
        sim.kill()
        sim.wait()


with tempfile.TemporaryDirectory(prefix="strigil-shift-") as scratch:
    shift("sim_tmcl", pathlib.Path(scratch) / "bench")
print("ok")
