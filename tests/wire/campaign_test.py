"""Campaigns by the real program: validated, killed, compared with a baseline, collected, and read by others' tools.

    campaign_test.py CASE STRIGIL

validate   the short form of the conditions suite; JUnit by a standard parser; baseline; refusals
capsule    a campaign sealed; its report recomputed; a number changed and sealed anew is found
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

import h5py

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
    evidence(folder, report)
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


def evidence(folder, report):
    """Each measure names samples that were made in its strokes; strokes in the air show what the machine makes."""
    measured = 0
    for trial in report["trials"]:
        assert (trial["factors"]["targets"] == "air") == (not trial["measures"]), trial
        for measure in trial["measures"]:
            for span in report["evidence"][measure["evidence"]]["ranges"]:
                with h5py.File(os.path.join(folder, span["run"]), "r") as run:
                    stream = run["streams"][span["stream"]]
                    assert span["channel"] in [c.decode() if isinstance(c, bytes) else c for c in stream.attrs["channels"]], span
                    assert 0 <= span["first"] < span["last"] < len(stream["counts"]), span
                    block = stream["blocks"][:]
                    k = block["first_row"].searchsorted(span["first"], "right") - 1
                    at = block["t0_ns"][k] + (span["first"] - block["first_row"][k]) * block["period_ns"][k]
                    begun = [e["at_ns"] for e in run["events"][:] if e["code"] == 60 and e["arguments"][1] == 6]
                    assert min(abs(at - b) for b in begun) < 50e6, (span, at, begun)
                measured += 1
    assert measured > 20
    (noise,) = [s for s in report["studies"] if s["name"] == "machine noise"]
    ratio = {m["name"]: m["value"] for m in noise["metrics"] if m["name"].startswith("signal over noise")}
    assert len(ratio) == 3 and all(v is not None for v in ratio.values()), ratio
    assert len(noise["plots"]) == 6 and all(p["series"] for p in noise["plots"])


def capsule(strigil, work):
    folder, sealed = os.path.join(work, "c"), os.path.join(work, "capsule")
    run(strigil, "validate", "smoke_suite", "--out", folder, "--quiet")
    run(strigil, "capsule", folder, "--out", sealed)
    good = run(strigil, "verify", sealed)
    for words in ("journal.jsonl: 2 measures of 2 runs", "report.json, to the byte", "report.html, to the byte"):
        assert "recomputed, the same: " + words in good.stdout, good.stdout
    report = os.path.join(folder, "report.json")
    said = read(report)
    value = json.loads(said)["trials"][0]["measures"][0]["value"]
    write(report, said.replace(repr(value), repr(value * 2), 1))
    run(strigil, "capsule", folder, "--out", sealed + "2")
    bad = run(strigil, "verify", sealed + "2", code=1)
    assert "PROBLEM: report.json" in bad.stdout, bad.stdout
    write(report, said)
    journal = os.path.join(folder, "journal.jsonl")
    write(journal, read(journal).replace(repr(value), repr(value * 2)))
    run(strigil, "capsule", folder, "--out", sealed + "3")
    bad = run(strigil, "verify", sealed + "3", code=1)
    assert "PROBLEM: journal.jsonl" in bad.stdout, bad.stdout


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
        {"validate": validate, "capsule": capsule, "killed": killed, "collect": collect}[sys.argv[1]](sys.argv[2], place)
