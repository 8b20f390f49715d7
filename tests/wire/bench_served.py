"""A simulated bench that is served, and one who asks it: for tests of the control channel and of the screen."""
import contextlib
import pathlib
import re
import subprocess
import time

import zmq

HOME = pathlib.Path(__file__).resolve().parents[2]
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


def patient_bench(name):
    text = (HOME / f"rig/benches/{name}.toml").read_text()
    for key, patient in (("max_bound_us", 20000), ("force_stale_ms", 1000), ("vibration_stale_ms", 2000),
                         ("stage_stale_ms", 2000), ("stuck_ms", 2000)):
        text, found = re.subn(rf"(?m)^{key} = \d+", f"{key} = {patient}", text)
        assert found == 1, key
    text = re.sub(r"(?ms)^\[stop_test\].*?(?=^\[)", "", text)
    return re.sub(r"(?ms)^\[taps\].*?(?=^\[)", "", text)


@contextlib.contextmanager
def served_bench(strigil, folder, name="sim_tmcl", *options):
    """`strigil sim` and `strigil serve` on it, patient; gives the endpoint of control and the serving process."""
    (folder / "twin.toml").write_text(patient_bench(name))
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
