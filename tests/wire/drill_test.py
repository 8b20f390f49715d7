"""Fire drills over real wires and processes: drill_test.py PATH_TO_STRIGIL.

A few of the catalogue, one for each thing that virtual time cannot have. The bench is patient, as a computer that is busy
with other things must fail no test here; how fast the rig notices on a quiet one is in docs/safety.md.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from patient import HOME, patient_bench

STRIGIL = sys.argv[1]
# name: how long the patient bench and a busy computer may take
DRILLS = {"force_silent": 4000, "vibration_unplugged": 3000, "stage_unplugged": 3000, "host_stalled": 5000,
          "host_killed": 3000, "disk_full": 5000, "screen_killed": 60000}


def catalogue(folder):
    """The shipped drills with other limits; everything else as it is."""
    text = (HOME / "apps/drills/catalogue.toml").read_text()
    wanted = []
    for drill in re.split(r"(?m)^(?=\[\[drill\]\])", text)[1:]:
        name = re.search(r'(?m)^name = "(\w+)"', drill)[1]
        if name not in DRILLS:
            continue
        drill, found = re.subn(r"within_ms = \d+", f"within_ms = {DRILLS[name]}", drill)
        assert found == 1, drill
        wanted.append(drill.split("\n# ---")[0])
    assert len(wanted) == len(DRILLS), wanted
    bench = folder / "patient.toml"
    bench.write_text(patient_bench(without=()))
    path = folder / "patient_drills.toml"
    path.write_text(f'protocol = "smoke"\nbench = "{bench}"\n\n' + "".join(wanted))
    return path


with tempfile.TemporaryDirectory(prefix="strigil-drill-") as temporary:
    os.environ["STRIGIL_HOME"] = str(HOME)
    folder = pathlib.Path(temporary)
    drilled = subprocess.run([STRIGIL, "drill", catalogue(folder), "--real", "--json", folder / "drill.json"],
                             capture_output=True, text=True, timeout=280)
    print(drilled.stdout)
    assert drilled.returncode == 0, drilled.stdout + drilled.stderr
    rows = {row["drill"]: row["runs"] for row in json.loads((folder / "drill.json").read_text())}
    assert rows.keys() == DRILLS.keys(), rows.keys()
    for name, runs in rows.items():
        for run in runs:
            assert run["made"] and run["safe"] and run["detected_by"], (name, run)
            assert (run["judgement"] == "PASS") == (name == "screen_killed"), (name, run)
