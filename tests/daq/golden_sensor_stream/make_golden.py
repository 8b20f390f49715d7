#!/usr/bin/python3
"""Writes the golden bytes from docs/sensor_stream.md alone, without a line of the C++ encoder.

A file holds one frame with its delimiter, wire.bin a whole conversation with damage in it.
Run it in this folder after a change of the specification; never to make a failing test pass.
"""
import binascii
import struct
from pathlib import Path

HERE = Path(__file__).parent
DEVICE = 0x57A1C0DE
ANYONE = 0xFFFFFFFF


def cobs(packet):
    out = b""
    for run in packet.split(b"\0"):
        while len(run) >= 254:
            out += b"\xff" + run[:254]
            run = run[254:]
        out += bytes([len(run) + 1]) + run
    return out


def sealed(packet):
    return packet + struct.pack("<H", binascii.crc_hqx(packet, 0xFFFF))


def frame(type_, device, body=b"", version=1):
    return cobs(sealed(struct.pack("<BBI", version, type_, device) + body)) + b"\0"


def text(s):
    return bytes([len(s)]) + s.encode("ascii")


def data(stream, flags, channels, ticks, first_sample, counts):
    return struct.pack("<BBBBII", stream, flags, channels, len(counts) // channels, ticks, first_sample) + struct.pack(
        "<%di" % len(counts), *counts)


assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1

frames = {
    "describe": frame(0x01, ANYONE),
    "start": frame(0x02, DEVICE),
    "stop": frame(0x03, DEVICE),
    "device": frame(0x81, DEVICE, bytes([1]) + text("Acme A3") + text("42")),
    "stream": frame(0x82, DEVICE, struct.pack("<BBddii", 0, 3, 6400.0, 1e6, -32767, 32767) + text("vibration") +
                    text("acceleration")),
    "channel": frame(0x83, DEVICE, struct.pack("<BBdd", 0, 0, 5 / 1024, 0.0) + text("ax") + text("m/s2")),
    "data": frame(0x84, DEVICE, data(0, 0, 3, 0xFFFFFF00, 70000, [1, -1, 2048, 0, -32767, 256])),
    "data_longest": frame(0x84, DEVICE, data(3, 1, 6, 1, 0xFFFFFFFF, [(i - 192) * 0x00A9CDEF for i in range(384)])),
    "data_edge": frame(0x84, DEVICE, data(1, 1, 2, 0x01020304, 0x05060708, [0x11111111 * (1 + i % 7) for i in range(122)])),
    "status": frame(0x85, DEVICE, bytes([3]) + text("bus error")),
}
assert len(frames["data_longest"]) <= 1564
# A packet of 508 bytes, none of them zero: two full groups, an empty one, the delimiter.
assert len(frames["data_edge"]) == 508 + 3 + 1 and frames["data_edge"][-2:] == b"\x01\x00"
assert max(len(frames[n]) for n in ("describe", "start", "stop")) == 10
for name, bytes_ in frames.items():
    assert bytes_.count(0) == 1
    (HERE / (name + ".bin")).write_bytes(bytes_)

damaged = bytearray(frames["data"])
damaged[20] ^= 0x80
rejected = [
    bytes(damaged),  # bad CRC
    frames["data"][5:],  # its beginning is lost
    b"\x05\x01\x02\0",  # not COBS
    b"\x55" * 1564 + frames["data"],  # longer than any frame
    frame(0x81, DEVICE, bytes([1]) + text("Acme A3") + text("42"), version=2),
    frame(0x86, DEVICE, b"what is this"),
]
order = ["device", "stream", "channel", "data", "data_longest", "data_edge", "status"]
wire = b"\x33garbage of before\0"
for i, name in enumerate(order):
    wire += frames[name] + b"\0" * (i % 3)
    if i < len(rejected):
        wire += rejected[i]
(HERE / "wire.bin").write_bytes(wire)
