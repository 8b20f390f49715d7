#!/usr/bin/python3
# Live newtons in ten lines: subscribe.py tcp://127.0.0.1:5556 (docs/publication.md)
import collections, json, sys, numpy as np, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.subscribe("strigil/1/"); socket.connect(sys.argv[1])
channels, samples, topic = {}, collections.Counter(), [""]
while topic[-1] != "end":
    topic, header, *body = (lambda t, *rest: (t.decode().split("/"), *rest))(*socket.recv_multipart())
    if topic[2] == "stream": channels[topic[3]] = json.loads(body[0])["channels"]
    if topic[2] == "block":
        values = np.frombuffer(body[1], "<f4").reshape(int.from_bytes(header[20:22], "little"), -1)
        samples[topic[3]] += len(values)
        print(topic[3], *(f"{c['name']}={v:.3f} {c['unit']}" for c, v in zip(channels.get(topic[3], []), values[-1])))
print("received", dict(samples), "published", {s["stream"]: s["samples"] for s in json.loads(body[0])["streams"]})
