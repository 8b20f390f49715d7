"""The console in its window, on a served bench: screen_test.py STRIGIL STRIGIL_UI FOLDER_FOR_PICTURES.

An operator's way by mouse and keyboard: control, reset, the demo, a stop in mid-stroke, the fault, the way
back (release, home, reset), review. Pictures
of every page at three sizes are kept; somebody looks at them.
"""
import contextlib
import pathlib
import sys
import tempfile
import time

from bench_served import Client, served_bench
from virtual_screen import Console, virtual_screen

STRIGIL, STRIGIL_UI, PICTURES = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
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
    for page, shown in (("Live", "follow"), ("Operate", "abort"), ("Health", "streams")):
        console.page(page)
        console.wait_for(shown)
        console.picture(f"{page.lower()}-{size}")


def operate(endpoint, display):
    watcher = Client(endpoint, "watcher")
    watcher.wait(lambda s: s["use"] == "by_hand", "the bench comes up")
    console = Console(STRIGIL_UI, display, PICTURES, "operator", "--control", endpoint, "--size", "1280x720")
    try:
        console.page("Operate")
        console.click("take")
        watcher.wait(lambda s: s["holder"] == "operator", "the operator has control")
        console.wait_for("give")
        console.click("reset")
        watcher.wait(lambda s: s["supervisor"] == "running", "it is reset")
        time.sleep(0.3)
        console.click("run_demo")
        watcher.wait(lambda s: s["use"] == "running", "the demo runs")
        for size, scale in SIZES:
            with another(f"size-{size}", endpoint, size, scale) as other:
                all_pages(other, size)
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
        console.click("review_last")
        console.wait_for("review_verdict")
        time.sleep(1)
        console.picture("review-1280x720")
        for size, scale in SIZES[1:]:
            with another(f"review-{size}", endpoint, size, scale, "--review", stopped["last_run"]["file"]) as other:
                other.picture(f"review-{size}")
    finally:
        console.kill()


with tempfile.TemporaryDirectory(prefix="strigil-screen-") as scratch, virtual_screen() as screen:
    with served_bench(STRIGIL, pathlib.Path(scratch), "sim") as (control, _):
        operate(control, screen)
print("ok")
