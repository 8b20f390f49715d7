"""Campaigns by the real program: validated, killed, compared with a baseline, collected, and read by others' tools.

    campaign_test.py CASE STRIGIL

validate   the short form of the conditions suite; JUnit by a standard parser; baseline; refusals
killed     SIGKILL at random instants, and on from there (scripts/kill_campaign, briefly)
collect    a data set: checksums, splits, RO-Crate, and its own loader
"""
import csv
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*command, code=0, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=280, **more)
    assert done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def validate(strigil, work):
    folder = os.path.join(work, "c")
    run(strigil, "validate", "conditions_short", "--out", folder, "--quiet")
    report = json.loads(read(folder, "report.json"))
    assert report["verdict"] == "PASS", report["reasons"]
    suites = xml.etree.ElementTree.parse(os.path.join(folder, "report.junit.xml")).getroot()
    cases = [c for c in suites.iter("testcase")]
    trials = len(json.loads(read(folder, "report.json"))["trials"])
    assert len(cases) >= trials > 0, (len(cases), trials)
    assert not list(suites.iter("failure")) and not list(suites.iter("error"))
    page = read(folder, "report.html")
    assert "<svg" in page and "<script" not in page and 'src="http' not in page
    before = read(folder, "journal.jsonl")
    run(strigil, "validate", "conditions_short", "--out", folder, "--quiet", code=3)  # there is one already
    figures = os.path.join(folder, "figures.json")
    run(strigil, "validate", "conditions_short", "--out", folder, "--quiet", "--resume", "--baseline", figures)
    assert read(folder, "journal.jsonl") == before, "what was done has been done again"
    better = json.loads(read(figures))
    metric = better["metrics"][0]
    write(os.path.join(work, "lost.json"), json.dumps({**better, "metrics": [{**metric, "name": "oracle/auc"}]}))
    worse = run(strigil, "validate", "conditions_short", "--out", folder, "--quiet", "--resume", "--baseline",
                os.path.join(work, "lost.json"), code=1)
    assert "oracle/auc" in worse.stdout, worse.stdout
    bad = write(os.path.join(work, "bad.toml"), read(ROOT, "protocols/suites/smoke_suite.toml") + "\n[judge]\nmood = 1\n")
    refused = run(strigil, "validate", bad, "--out", os.path.join(work, "x"), code=3)
    assert "bad.toml:" in refused.stderr and "unknown key 'judge.mood'" in refused.stderr, refused.stderr
    assert not os.path.exists(os.path.join(work, "x")), "refused, and a folder was made"
    far = write(os.path.join(work, "far.toml"), '[suite]\nname = "far"\nbench = "sim"\nprotocol = "smoke"\n'
                'time = "virtual"\n[[factor]]\nname = "protocol.stroke.length_mm"\nlevels = [30, 900]\n')
    refused = run(strigil, "validate", far, "--out", os.path.join(work, "x"), code=3)
    assert "protocol.stroke.length_mm 900" in refused.stderr, refused.stderr


def killed(strigil, work):
    done = run(sys.executable, os.path.join(ROOT, "scripts/kill_campaign"), strigil, "--kills", "4", "--trials", "5",
               env={**os.environ, "TMPDIR": work})
    assert "nothing lost, nothing run twice" in done.stdout, done.stdout


COLLECTED = """
[suite]
name = "collected"
bench = "sim_tmcl"
keep_phases = ["scan"]
time = "virtual"
[teardown]
home = "z"
[[factor]]
name = "phantom"
levels = ["healthy", "reference", "random:7"]
[[factor]]
name = "targets"
levels = ["as_made", "none"]
[dataset]
title = 'A "small" set, with commas'
creators = ["Curie, Marie", "The Laboratory"]
keywords = ["force"]
"""


def collect(strigil, work):
    folder = os.path.join(work, "set")
    suite = write(os.path.join(work, "collected.toml"), COLLECTED)
    run(strigil, "collect", suite, "--out", folder, "--quiet")
    run("sha256sum", "--strict", "-c", "SHA256SUMS", cwd=folder)
    with open(os.path.join(folder, "contents.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 and all(r["judgement"] == "PASS" for r in rows), rows
    split_of = {}
    for row in rows:
        assert split_of.setdefault(row["phantom"], row["split"]) == row["split"], f"{row['phantom']} is in two splits"
    assert set(split_of.values()) == {"train", "validation", "test"}, split_of
    crate = json.loads(read(folder, "ro-crate-metadata.json"))
    graph = {e["@id"]: e for e in crate["@graph"]}
    assert len(graph) == len(crate["@graph"]), "an @id is there twice"
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    assert graph["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert graph["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = graph["./"]
    for key in ("name", "description", "datePublished", "license", "hasPart"):
        assert root[key], key
    for part in root["hasPart"]:
        assert graph[part["@id"]]["@type"] == "File" and os.path.exists(os.path.join(folder, part["@id"])), part
    assert root["license"]["@id"] in graph
    listed = {line.split("  ", 1)[1] for line in read(folder, "SHA256SUMS").splitlines()}
    assert listed == {p["@id"] for p in root["hasPart"]} | {"ro-crate-metadata.json"}
    citation = read(folder, "CITATION.cff")
    for needed in ("cff-version: 1.2.0", "message: ", "title: ", "family-names: \"Curie\"", "name: \"The Laboratory\""):
        assert needed in citation, needed
    loaded = run(sys.executable, os.path.join(folder, "load_dataset.py"))
    assert len(loaded.stdout.splitlines()) == 6, loaded.stdout
    blank = [line for line in loaded.stdout.splitlines() if "; 0 targets" in line]
    assert len(blank) == 4, loaded.stdout  # healthy twice, and two that are there on paper only


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="strigil-campaign-") as place:
        {"validate": validate, "killed": killed, "collect": collect}[sys.argv[1]](sys.argv[2], place)
