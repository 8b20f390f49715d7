#!/usr/bin/python3
# A subscriber that the rig knows: named_subscriber.py ENDPOINT NAME (docs/publication.md, Subscribers with a name)
import collections, json, sys, zmq
endpoint, said = sys.argv[1], "strigil/1/ack/" + sys.argv[2]
socket = zmq.Context().socket(zmq.SUB); socket.subscribe("strigil/1/"); socket.subscribe(said); socket.connect(endpoint)
samples, kind = collections.Counter(), None
while kind != "end":
    topic, header, *body = socket.recv_multipart()
    kind, stream = (topic.decode().split("/") + [None])[2:4]
    if kind == "block": samples[stream] += int.from_bytes(header[20:22], "little")
    if kind == "heartbeat":  # what came so far, said by subscribing to it; then the last word is taken back
        for s in json.loads(body[0])["streams"]: samples[s["stream"]] += 0  # also what nothing came of
        tag, heartbeat = int.from_bytes(header[4:8], "little"), int.from_bytes(header[8:16], "little")
        now = f"strigil/1/ack/{sys.argv[2]}/{tag:08x}/{heartbeat}/" + ",".join(f"{s}={n}" for s, n in samples.items())
        socket.subscribe(now); socket.unsubscribe(said); said = now
print("received", dict(samples))
