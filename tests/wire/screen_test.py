"""The console in its window, on a served bench: screen_test.py CASE STRIGIL STRIGIL_UI FOLDER_FOR_PICTURES.

operate: an operator's way by mouse and keyboard: control, reset, the demo, a stop in mid-stroke, the fault, the way back
(release, home, reset), review. Pictures of every page at three sizes are kept; somebody looks at them.
hostile: a bench that says nonsense, and then dies.
unharmed: the console that began a run is frozen, a second one killed. STRIGIL_FROZEN_S: for how long at least (10). A detector
listens meanwhile: what it answers is told over the control channel, and is in the run file.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

import h5py
import zmq

from bench_served import CONTEXT, Client, served_bench
from patient import HOME
from virtual_screen import Console, virtual_screen

CASE, STRIGIL = sys.argv[1:3]
STRIGIL_UI, PICTURES = (pathlib.Path(path).resolve() for path in sys.argv[3:5])
FROZEN_S = float(os.environ.get("STRIGIL_FROZEN_S", "10"))
PHANTOM = str(HOME / "rig/phantoms/achilles_tendinosis.toml")
DETECTOR = "strigil detect --endpoint {endpoint} --answers {answers} --detector cheat:constant_answer"
SIZES = (("1280x720", 1), ("1920x1080", 1), ("2560x1440", 2))


@contextlib.contextmanager
def another(name, endpoint, size, scale, *options):
    """A console on a screen of its own."""
    with virtual_screen() as display:
        console = Console(STRIGIL_UI, display, PICTURES, name, "--control", endpoint, "--size", size, "--scale", str(scale),
                          *options)
        try:
            time.sleep(1)  # it has heard of the streams
            yield console
        finally:
            console.kill()


def all_pages(console, size):
    for page, tab, shown in (("Live", "tab_signal", "strip_force/2"), ("Live", "tab_place", "map"), ("Operate", "", "abort"),
                             ("Health", "tab_flow", "streams"), ("Health", "tab_rig", "jitter"),
                             ("Health", "tab_trust", "calibration")):
        console.page(page)
        if tab:
            console.click(tab)
        console.wait_for(shown)
        console.picture(f"{page.lower()}{tab[3:]}-{size}")


def operate(endpoint, display):
    watcher = Client(endpoint, "watcher")
    watcher.wait(lambda s: s["use"] == "by_hand", "the bench comes up")
    console = Console(STRIGIL_UI, display, PICTURES, "operator", "--control", endpoint, "--size", "1280x720")
    try:
        console.click("page_Operate")
        console.click("take")
        watcher.wait(lambda s: s["holder"] == "operator", "the operator has control")
        console.wait_for("give")
        console.click("reset")
        watcher.wait(lambda s: s["supervisor"] == "running", "it is reset")
        time.sleep(0.3)
        console.click("run_demo")
        watcher.wait(lambda s: s["use"] == "running", "the demo runs")
        for size, scale in SIZES:
            with another(f"size-{size}", endpoint, size, scale, "--phantom", PHANTOM) as other:
                all_pages(other, size)
        if watcher.do("status")["use"] != "running":
            watcher.wait(lambda s: s["use"] == "by_hand", "the run is over before all pictures were made")
            console.click("run_demo")
        watcher.wait(lambda s: s.get("progress", {}).get("kind") == "stroke", "a stroke")
        console.key("Escape")
        stopped = watcher.wait(lambda s: s["use"] == "down", "the stage that was killed is in alarm until it is homed")
        assert stopped["emergency"] and not stopped["armed"] and "'operator'" in stopped["fault_before"], stopped
        assert stopped["last_run"]["judgement"] == "INVALID", stopped
        console.wait_for("trouble")
        console.picture("fault-1280x720")
        console.click("reset")
        watcher.wait(lambda s: not s["emergency"], "the stop is released")
        console.click("home")
        watcher.wait(lambda s: s["use"] == "by_hand", "it is homed and up again")
        console.click("reset")
        watcher.wait(lambda s: s["armed"] and s.get("supervisor") == "running", "reset after the stop")
        console.wait_gone("trouble")
        console.click("review_last")
        console.wait_for("review_verdict")
        time.sleep(1)
        console.picture("review-1280x720")
        for size, scale in SIZES[1:]:
            with another(f"review-{size}", endpoint, size, scale, "--review", stopped["last_run"]["file"]) as other:
                other.picture(f"review-{size}")
    finally:
        console.kill()


def ledger_of(run):
    """Rows of `strigil ledger`: (hop, stream) to what was lost there."""
    told = subprocess.run([STRIGIL, "ledger", run], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    rows = re.findall(r"(?m)^(\S+) +(\w[\w ]*?) +(\d+) +(\d+)", told.stdout)
    assert any(hop == "recorder" for _, hop, *_ in rows), told.stdout
    return {(hop, stream): int(lost) for stream, hop, _, lost in rows}


def unharmed(endpoint):
    """The console that began a run is frozen, a second one is killed in the middle of it: the rig does not notice."""
    anna = Client(endpoint, "anna")
    anna.wait(lambda s: s["use"] == "by_hand", "the bench comes up")
    with another("frozen", endpoint, *SIZES[0]) as frozen:
        frozen.page("Operate")
        frozen.click("take")
        frozen.wait_for("give")
        frozen.click("reset")
        anna.wait(lambda s: s.get("supervisor") == "running", "it is reset")
        frozen.click("run_demo")
        status = anna.wait(lambda s: s["use"] == "running", "the demo runs")
        assert status["holder"] == "frozen", status
        frozen.freeze()
        frozen_at = time.monotonic()
        runs = 0
        while True:
            with another("killed", endpoint, *SIZES[0]) as second:
                anna.wait(lambda s: s.get("progress", {}).get("kind") == "stroke", "a stroke")
                second.wait_for("follow")
                second.kill()
            status = anna.wait(lambda s: s["use"] == "by_hand", "the run ends without them")
            assert status["armed"] and status["holder"] in ("", "anna"), status
            runs += 1
            whole(status["last_run"])
            answered(anna.do("detections"), status["last_run"]["file"])
            if time.monotonic() - frozen_at > FROZEN_S:
                break
            if not anna.token:
                anna.take()
            anna.do("run", protocol="demo")
            anna.wait(lambda s: s["use"] == "running", "one more run")
        print(f"frozen for {time.monotonic() - frozen_at:.0f} s, through {runs} runs")
        frozen.thaw()
        frozen.page("Health")  # it wakes, and goes on as if nothing had been
        frozen.wait_for("streams")
        frozen.picture("thawed-1280x720")


def whole(run):
    """Carried out, and nothing lost on the rig's side. A busy computer may spoil clocks, and the verdict says so then."""
    spoilt = ("delivered", "aborted", "ended after", "emergency", "interlock", "lost")
    assert not any(word in reason for word in spoilt for reason in run["reasons"]), run
    lost = {row: count for row, count in ledger_of(run["file"]).items() if count and not row[0].startswith("subscriber")}
    print(run["judgement"], *run["reasons"], "lost:", lost)
    assert not lost, lost


def answered(told, run):
    """By DETECTOR, to each of the four strokes of the demo: the same over the control channel and in the file."""
    with h5py.File(run, "r") as file:
        detector, = json.loads(bytes(file["end"][:]))["detectors"]
    kept = [d for stroke in detector["strokes"] for d in stroke["detections"]]
    assert all(s["done"] for s in detector["strokes"]) and len(detector["strokes"]) == 4, detector
    assert told["count"] == len(told["detections"]) == len(kept) >= 4 and told["detectors"][0]["name"] == detector["name"], told
    rows = [{key: d[key] for key in ("x_mm", "at_s", "known_s", "score")} for d in told["detections"]]
    assert rows == kept and all(d["y_mm"] == 0 for d in told["detections"]), (told, kept)


def hostile():
    """A bench that says nonsense on both channels, and then dies."""
    control, publication = CONTEXT.socket(zmq.ROUTER), CONTEXT.socket(zmq.PUB)
    random.seed(8)
    endpoints = [f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}" for socket in (control, publication)]
    asked, leaving = set(), threading.Event()

    def nonsense():
        while not leaving.is_set():
            publication.send_multipart([random.randbytes(random.randrange(80)) for _ in range(random.randrange(1, 5))])
            if not control.poll(5):
                continue
            *way, request = control.recv_multipart()
            request = json.loads(request)
            asked.add(request["verb"])
            results = [{"publication": {"endpoint": endpoints[1]}, "use": 7, "readings": [], "progress": {"steps": "many"}},
                       {"publication": {"endpoint": endpoints[1]}, "faults": {"latched": "\u0000\u2603" * 2000}}, [], "x", None]
            answer = {"strigil_control": 1, "id": request["id"], "ok": True, "result": random.choice(results)}
            wire = random.choice([json.dumps(answer).encode()] * 3 + [b"{", b"", random.randbytes(50)])
            control.send_multipart([*way, wire])

    talker = threading.Thread(target=nonsense)
    talker.start()
    try:
        with another("hostile", endpoints[0], *SIZES[0]) as console:
            for page, shown in (("Live", "follow"), ("Operate", "abort"), ("Health", "streams"), ("Review", "review_open")):
                console.page(page)
                console.wait_for(shown)
            # A tap that begins and ends while no frame is drawn is a stop as well.
            console.window()
            console.freeze()
            console.xdo("key", "Escape")
            time.sleep(0.3)
            assert "stop" not in asked
            console.thaw()
            deadline = time.monotonic() + 30
            while "stop" not in asked and time.monotonic() < deadline:
                time.sleep(0.05)
            assert "stop" in asked, asked
            leaving.set()
            talker.join()
            control.close(0)
            publication.close(0)
            console.wait_for("trouble")
            console.page("Operate")
            console.wait_for("trouble")
            console.picture("died-1280x720")
    finally:
        leaving.set()
        talker.join()


if CASE == "hostile":
    hostile()
else:
    with tempfile.TemporaryDirectory(prefix="strigil-screen-") as scratch:
        options = ("--detector-command", DETECTOR) if CASE == "unharmed" else ()
        with served_bench(STRIGIL, pathlib.Path(scratch), "sim", *options) as (control, _):
            if CASE == "operate":
                with virtual_screen() as screen:
                    operate(control, screen)
            else:
                unharmed(control)
print("ok")
