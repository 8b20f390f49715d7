"""A simulated bench that is served, and one who asks it: for tests of the control channel and of the screen."""
import contextlib
import subprocess
import time

import zmq

from patient import patient_bench

PATIENCE_S = 120
CONTEXT = zmq.Context()


class Client:
    """One who asks, written after docs/control.md and nothing else."""

    def __init__(self, endpoint, name):
        self.socket = CONTEXT.socket(zmq.REQ)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVTIMEO, 20000)
        self.socket.connect(endpoint)
        self.name, self.token, self.count = name, "", 0

    def ask(self, verb, **arguments):
        self.count += 1
        self.socket.send_json({"strigil_control": 1, "id": self.count, "verb": verb, "client": self.name,
                               "token": self.token, "arguments": arguments})
        answer = self.socket.recv_json()
        assert answer["id"] == self.count and answer["strigil_control"] == 1, answer
        return answer

    def do(self, verb, **arguments):
        answer = self.ask(verb, **arguments)
        assert answer["ok"], (verb, answer)
        return answer["result"]

    def refused(self, code, verb, **arguments):
        answer = self.ask(verb, **arguments)
        assert not answer["ok"] and answer["code"] == code and answer["refusal"], (verb, answer)
        return answer["refusal"]

    def take(self, **arguments):
        self.token = self.do("take", **arguments)["token"]

    def press(self, verb, until, why, **arguments):
        """Asks for a movement and holds on to it; anew where a busy computer has let go for us."""
        self.do(verb, **arguments)

        def holds(status):
            if until(status):
                return True
            if not self.ask("hold")["ok"]:
                self.do(verb, **arguments)
            return False
        return self.wait(holds, why)

    def reset(self):
        """Resets, and again until it stays so. Where a busy computer let the drive's own time-out run down between two
        uses, z has run up to its end meanwhile, and the accelerometer felt that.
        """
        since = None

        def stays(status):
            nonlocal since
            if status["use"] == "by_hand" and not status["armed"]:
                self.do("reset")
            if status.get("supervisor") != "running":
                since = None
            elif since is None:
                since = time.monotonic()
            return since is not None and time.monotonic() - since > 0.5
        return self.wait(stays, "it stays reset")

    def wait(self, what, why):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.token:
                self.ask("renew")
            status = self.do("status")
            if what(status):
                return status
            time.sleep(0.05)
        raise AssertionError(f"waited in vain: {why}: {status}")


@contextlib.contextmanager
def served_bench(strigil, folder, name="sim_tmcl", *options):
    """`strigil sim` and `strigil serve` on it, patient; gives the endpoint of control and the serving process."""
    (folder / "twin.toml").write_text(patient_bench(name, without=("taps", "stop_test")))
    sim = subprocess.Popen([strigil, "sim", "--dir", folder / "wires", "--bench", folder / "twin.toml"],
                           stdout=subprocess.PIPE, text=True)
    try:
        bench = sim.stdout.readline().split(maxsplit=1)[1].strip()
        serve = subprocess.Popen([strigil, "serve", "--bench", bench, "--control", "tcp://127.0.0.1:*", "--runs",
                                  folder / "runs", *options], stdout=subprocess.PIPE, stderr=open(folder / "serve.log", "w"),
                                 text=True)
        try:
            yield serve.stdout.readline().split(maxsplit=1)[1].strip(), serve
        finally:
            serve.kill()
            serve.wait()
            print((folder / "serve.log").read_text())
    finally:
        sim.kill()
        sim.wait()
