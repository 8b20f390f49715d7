#!/usr/bin/python3
# Live newtons in ten lines and the imports: subscribe.py tcp://127.0.0.1:5556 (docs/publication.md)
import collections, json, sys, numpy as np, zmq
socket = zmq.Context().socket(zmq.SUB); socket.subscribe("strigil/1/"); socket.connect(sys.argv[1])
channels, samples, kind = {}, collections.Counter(), None
while kind != "end":
    topic, header, *body = socket.recv_multipart()
    kind, stream = (topic.decode().split("/") + [None])[2:4]
    if kind == "stream": channels[stream] = json.loads(body[0])["channels"]
    if kind == "block":
        values = np.frombuffer(body[1], "<f4").reshape(int.from_bytes(header[20:22], "little"), -1)
        samples[stream] += len(values)
        print(stream, *(f"{c['name']}={v:.3f} {c['unit']}" for c, v in zip(channels.get(stream, []), values[-1])))
print("received", dict(samples), "published", {s["stream"]: s["samples"] for s in json.loads(body[0])["streams"]})
