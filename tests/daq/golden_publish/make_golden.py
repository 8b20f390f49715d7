#!/usr/bin/python3
"""Writes the golden messages from docs/publication.md alone, without a line of the C++ encoder.

A file holds one multipart message: for each part its length (u32, little-endian) and its bytes.
Run it in this folder after a change of the specification; never to make a failing test pass.
"""
import json
import struct
from pathlib import Path

HERE = Path(__file__).parent


def fnv1a(text):
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


RUN = "20261123T120000Z-demo"
TAG = fnv1a(RUN)


def head(kind, sequence):
    return struct.pack("<HHIQ", 1, kind, TAG, sequence)


def write(name, *parts):
    (HERE / name).write_bytes(b"".join(struct.pack("<I", len(p)) + p for p in parts))


def text(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


counts = [1000000, -2000000, 1000001, -2000001, 2147483647, -2147483648]
values = [1.0, -2.0, 1.5, -2.5, 0.1, float("inf")]
block = head(1, 42) + struct.pack("<HHHHIIQQqqqd", 3, 2, 3, 0, 0b101, 7, 2**40 + 5, 2**33, 1_000_000_007, 999_999_991, 12_345, 142857.5)
assert len(block) == 80
write("block.bin", b"strigil/1/block/force", block, struct.pack("<6i", *counts), struct.pack("<6f", *values))

write("stream.bin", b"strigil/1/stream/force", head(2, 3), text({
    "id": 3, "name": "force", "device": "ATI Net F/T, serial FT00001 \u00b5", "quantity": "force", "rate_Hz": 7000.0,
    "tick_rate_Hz": 0.0, "counts_min": -2147483648, "counts_max": 2147483647,
    "channels": [{"name": "Fx", "unit": "N", "scale": 1e-06, "offset": 0.0},
                 {"name": "Fz", "unit": "N", "scale": 1e-06, "offset": -0.25}]}))

write("event.bin", b"strigil/1/event", head(3, 9), text({
    "at_ns": 5_000_000_000, "code": 40, "name": "interlock_trip", "severity": "fault", "source": 2,
    "arguments": [3.0, 25.5, 0.1, None], "detail": "force"}))

totals = [{"id": 0, "stream": "force", "blocks": 10, "samples": 640}, {"id": 1, "stream": "vibration", "blocks": 2, "samples": 128}]
write("heartbeat.bin", b"strigil/1/heartbeat", head(4, 1), text({
    "run": RUN, "sequence": 1, "host_ns": 6_000_000_000, "state": "running", "streams": totals,
    "subscribers": [{"name": "screen", "alive": True, "behind_s": 0.5, "received": 704, "lost": 64}]}))

write("ledger.bin", b"strigil/1/ledger", head(7, 2), text({
    "run": RUN, "final": True, "rows": [{"hop": "intake", "stream": "force", "count": 640, "lost": 0}], "unexplained": []}))

write("profile.bin", b"strigil/1/profile/force", head(6, 0), text({"stream": "force", "channel": "Fz", "pass": 1}))

write("end.bin", b"strigil/1/end", head(5, 0), text({
    "run": RUN, "host_ns": 7_000_000_000, "streams": totals, "events": 4,
    "drops": {"ring_blocks": 1, "ring_events": 0, "send": 0, "unknown_streams": 0}, "result": {"verdict": "PASS"}}))
