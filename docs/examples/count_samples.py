#!/usr/bin/python3
"""Balances a subscriber's ledger against the publisher's: count_samples.py ENDPOINT [TIMEOUT_s] (docs/publication.md).

Prints one JSON object when the run ends. Exit code 0: every published sample arrived; 1: some did not (see "streams"
for how many and why); 2: no message for TIMEOUT_s seconds, so the run is incomplete.
"""
import json
import struct
import sys

import zmq


def main():
    socket = zmq.Context().socket(zmq.SUB)
    socket.set_hwm(100000)
    socket.subscribe("strigil/1/")
    socket.connect(sys.argv[1])
    timeout_ms = int(1000 * float(sys.argv[2])) if len(sys.argv) > 2 else 10000
    ledgers, run_tag, end = {}, None, None
    while end is None:
        if not socket.poll(timeout_ms):
            print(json.dumps({"complete": False, "topics": ledgers}))
            return 2
        topic, header, *body = socket.recv_multipart()
        version, kind, tag, sequence = struct.unpack_from("<HHIQ", header)
        assert version == 1, f"publication version {version}"
        if tag != run_tag:  # another run: all sequences start again
            ledgers, run_tag = {}, tag
        ledger = ledgers.setdefault(
            topic.decode(), {"received": 0, "samples": 0, "lost": 0, "missed_before": sequence, "next": sequence})
        ledger["received"] += 1
        ledger["lost"] += sequence - ledger["next"]
        ledger["next"] = sequence + 1
        if kind == 1:
            stream, channels, samples = struct.unpack_from("<HHH", header, 16)
            assert len(header) == 80 and len(body[0]) == len(body[1]) == 4 * channels * samples
            ledger["samples"] += samples
        elif kind == 5:
            end = json.loads(body[0])
    streams = {}
    for total in end["streams"]:
        got = ledgers.get("strigil/1/block/" + total["stream"],
                          {"received": 0, "samples": 0, "lost": 0, "missed_before": 0})
        streams[total["stream"]] = {
            "published_blocks": total["blocks"], "published_samples": total["samples"],
            "received_blocks": got["received"], "received_samples": got["samples"],
            "lost_blocks": got["lost"], "missed_before_blocks": got["missed_before"]}
    exact = all(s["published_blocks"] == s["received_blocks"] and s["published_samples"] == s["received_samples"]
                for s in streams.values())
    described = sorted(t.split("/")[3] for t in ledgers if t.startswith("strigil/1/stream/"))
    print(json.dumps({"complete": True, "exact": exact, "run": end["run"], "streams": streams, "described": described,
                      "events": ledgers.get("strigil/1/event", {"received": 0})["received"], "drops": end["drops"]}))
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
