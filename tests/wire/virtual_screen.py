"""A virtual X screen with `strigil-ui` on it, its real buttons pressed by a real mouse (xdotool).

Drawing in software costs as much of the processor as a graphics card would take off it: screens and consoles run with low
priority here, so that a small computer is not said to fail at what it would not do with a card.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

PATIENCE_S = 60


@contextlib.contextmanager
def virtual_screen(wide=2560, tall=1440, niceness=15):
    """Xvfb on the first display number that is free; gives its name."""
    for number in range(61, 70):
        if pathlib.Path(f"/tmp/.X{number}-lock").exists():
            continue
        server = subprocess.Popen(["nice", "-n", str(niceness), "Xvfb", f":{number}", "-screen", "0", f"{wide}x{tall}x24", "-nolisten", "tcp"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while server.poll() is None and time.monotonic() < deadline:
                if pathlib.Path(f"/tmp/.X11-unix/X{number}").exists():
                    yield f":{number}"
                    return
                time.sleep(0.05)
        finally:
            server.terminate()
            server.wait()
    raise AssertionError("no virtual screen from :61 to :69 could be had")


class Console:
    """One `strigil-ui`."""

    def __init__(self, program, display, folder, name, *options, niceness=15):
        self.folder, self.name, self.number = folder, name, None
        self.marks = folder / f"{name}.marks.json"
        self.environment = dict(os.environ, DISPLAY=display, LIBGL_ALWAYS_SOFTWARE="1", LP_NUM_THREADS="1")
        folder.mkdir(parents=True, exist_ok=True)
        self.marks.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["nice", "-n", str(niceness), program, "--landmarks", self.marks, "--settings", folder / f"{name}.settings.json", "--as", name, *options],
            env=self.environment, cwd=folder)
        self.wait_for("stop")

    def xdo(self, *words):
        done = subprocess.run(["xdotool", *map(str, words)], env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def window(self):
        """With the keyboard: no window manager gives it."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.number:
            assert time.monotonic() < deadline, f"{self.name} has no window"
            self.number = next(iter(self.xdo("search", "--pid", self.process.pid, "--name", "Strigil").split()), None)
        self.xdo("windowfocus", self.number, "windowraise", self.number)
        return self.number

    def places(self):
        try:
            return json.loads(self.marks.read_text())
        except FileNotFoundError:
            return {}

    def wait_for(self, landmark):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}"
            if landmark in self.places():
                return self.places()[landmark]
            time.sleep(0.05)
        raise AssertionError(f"{self.name} never showed '{landmark}', but {sorted(self.places())}")

    def wait_gone(self, landmark):
        deadline = time.monotonic() + PATIENCE_S
        while landmark in self.places():
            assert time.monotonic() < deadline, f"{self.name} still shows '{landmark}'"
            self.see_frames()

    def see_frames(self):
        """Waits until a whole frame was drawn after now: a slow computer sees every press."""
        for _ in range(2):
            before, deadline = self.written(), time.monotonic() + PATIENCE_S
            while self.written() == before:
                assert time.monotonic() < deadline and self.process.poll() is None, f"{self.name} draws no frames"
                time.sleep(0.01)

    def written(self):
        """When the landmarks were, last: after each frame, but not more often than thirty times a second."""
        return self.marks.stat().st_mtime_ns

    def point(self, landmark):
        place, before = self.wait_for(landmark), None
        while place != before:  # what is above it may come and go, as the bench tells of itself ten times a second
            time.sleep(0.12)
            self.see_frames()
            place, before = self.wait_for(landmark), place
        x, y, wide, tall = place
        self.xdo("mousemove", x + wide / 2, y + tall / 2)

    def click(self, landmark):
        self.point(landmark)
        self.see_frames()
        self.xdo("mousedown", 1)
        self.see_frames()
        self.xdo("mouseup", 1)

    def key(self, name):
        self.window()
        self.xdo("keydown", name)
        self.see_frames()
        self.xdo("keyup", name)

    def page(self, name):
        """By its key, as a practised hand does."""
        self.key({"Live": "F1", "Operate": "F2", "Health": "F3", "Review": "F4"}[name])

    def picture(self, name):
        """What the screen itself saved (F12)."""
        made, wanted = self.folder / "strigil-screen.png", self.folder / f"{name}.png"
        made.unlink(missing_ok=True)
        self.key("F12")
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            # Whole when its last chunk is there.
            if made.exists() and made.read_bytes()[-8:-4] == b"IEND":
                made.rename(wanted)
                return wanted
            time.sleep(0.05)
        raise AssertionError(f"{self.name} made no picture {name}")

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()
