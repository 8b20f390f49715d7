"""A simulated bench for a computer that is busy with other things: a late thread must fail no test in this folder.

What such a computer does to the times is the matter of tests in virtual time; here it is asked what is done at all.
"""
import pathlib
import re

HOME = pathlib.Path(__file__).resolve().parents[2]

# Limits that every bench file has, and those of stages that answer requests (not Grbl): without an answer in 20 ms each
# request of a host that is given the processor now and then would be lost, and its drive stop by itself.
LIMITS = {"max_bound_us": 20000, "force_stale_ms": 1000, "vibration_stale_ms": 2000, "stage_stale_ms": 2000,
          "stuck_ms": 2000}
REQUESTS = {"host_silence_ms": 1000, "answer_timeout_ms": 200}


def patient_bench(name="sim", without=("taps",)):
    """The text of a shipped bench file, patient; without these tables."""
    text = (HOME / f"rig/benches/{name}.toml").read_text()
    for key, value in LIMITS.items():
        text, found = re.subn(rf"(?m)^{key} = \d+", f"{key} = {value}", text)
        assert found == 1, key
    if "host_silence_ms" in text:
        text = re.sub(r"(?m)^(host_silence_ms) = \d+.*$", "\n".join(f"{key} = {ms}" for key, ms in REQUESTS.items()), text)
    for table in without:
        text, found = re.subn(rf"(?ms)^\[{table}\].*?(?=^#|^\[)", "", text)
        assert found == 1, table
    return text
