#!/usr/bin/python3
"""A detector in Python: detector.py ENDPOINT ANSWERS (docs/detectors.md).

Each stroke's normal force and height become one signal over millimetres (F + k z: a hard spot shows in the force where
the height is held, in the height where the force is); a raised cosine of several widths is sought in it, beside a
parabola for what the tissue does anyway. It answers when a stroke has ended. Needs numpy and pyzmq.
"""
import json
import struct
import sys

import numpy as np
import zmq

CELL_MM, STIFFNESS_N_MM, WIDTHS_MM, THRESHOLD, APART_MM = 0.5, 1.0, (8.0, 14.0, 24.0), 3.0, 6.0
NOISE_FLOOR_N = 0.01
STROKE = 6  # the second argument of step_began


class Stream:
    """Samples in the order of time, as far back as somebody needs them."""

    def __init__(self):
        self.times, self.values = [], []

    def add(self, times, values):
        self.times.append(times)
        self.values.append(values)

    def newest(self):
        return self.times[-1][-1] if self.times else -1

    def all(self):
        if len(self.times) > 1:
            self.times, self.values = [np.concatenate(self.times)], [np.concatenate(self.values)]
        return (self.times[0], self.values[0]) if self.times else (np.empty(0), np.empty((0, 0)))

    def forget(self, before):
        while len(self.times) > 1 and self.times[1][0] < before:
            del self.times[0], self.values[0]


def filters():
    for width in WIDTHS_MM:
        half = int(round(1.5 * width / CELL_MM))
        u = np.arange(-half, half + 1) * CELL_MM
        shape = np.where(np.abs(u) < width / 2, 0.5 + 0.5 * np.cos(2 * np.pi * u / width), 0)
        baseline, _ = np.linalg.qr(np.vander(u, 3))
        shape = shape - baseline @ (baseline.T @ shape)
        yield half, baseline, shape / np.linalg.norm(shape)


def statistic(signal):
    """At each cell the greatest t of the bank; -inf nearer to an end than the shortest window reaches."""
    best = np.full(len(signal), -np.inf)
    for half, baseline, shape in filters():
        for c in range(half, len(signal) - half):
            y = signal[c - half:c + half + 1]
            y = y - baseline @ (baseline.T @ y)
            amplitude = shape @ y
            noise = np.sqrt(max(y @ y - amplitude**2, 0) / (len(y) - 4))
            best[c] = max(best[c], amplitude / max(noise, NOISE_FLOOR_N))
    return best


def detect(times, x_mm, signal):
    """Peaks of the statistic over the millimetres: (place, instant the instrument was there, score)."""
    index = np.floor(x_mm / CELL_MM).astype(int)
    cells, where = np.unique(index, return_inverse=True)
    count = np.bincount(where)
    grid = np.arange(cells[0], cells[-1] + 1)
    mean = np.interp(grid, cells, np.bincount(where, signal) / count)
    at = np.interp(grid, cells, np.bincount(where, times - times[0]) / count) + times[0]
    t = statistic(mean)
    radius = int(APART_MM / CELL_MM)
    found = []
    for c in np.flatnonzero(t >= THRESHOLD):
        if t[c] >= t[max(0, c - radius):c + radius + 1].max():
            found.append(((grid[c] + 0.5) * CELL_MM, at[c] / 1e9, t[c]))
    return found


class Detector:
    def __init__(self, endpoint, answers):
        context = zmq.Context.instance()
        self.publication = context.socket(zmq.SUB)
        self.publication.set_hwm(100000)
        self.publication.subscribe("strigil/1/")
        self.publication.connect(endpoint)
        self.desk = context.socket(zmq.DEALER)
        self.desk.linger = 2000
        self.desk.connect(answers)
        self.quantities, self.streams, self.strokes = {}, {"force": Stream(), "position": Stream()}, []
        self.heard = self.said = 0

    def say(self, kind, **members):
        self.desk.send_multipart([b"strigil/1/detector/" + kind.encode(), json.dumps(members).encode()])

    def run(self):
        self.say("hello", name="example.py", version="1", subscriptions=1)
        if not self.desk.poll(30000):
            return "nobody welcomes a detector"
        topic, text = self.desk.recv_multipart()
        if topic != b"strigil/1/desk/welcome":
            return text.decode()
        self.roles = json.loads(text)["roles"]
        ended, silent = False, 0
        while not ended:
            if not self.publication.poll(20):
                self.tell_heard(1)
                if not self.publication.poll(200):
                    self.say("heard", until_ns=self.heard)
                    silent += 1
                    if silent > 300:
                        return "nothing is published any more, and no end came"
                continue
            silent = 0
            ended = self.take(*self.publication.recv_multipart())
            self.answer(ended)
            self.tell_heard(50_000_000)
        self.say("bye")
        self.desk.close()
        self.publication.close(0)  # leaves, so that the publisher may close
        zmq.Context.instance().term()
        return None

    def tell_heard(self, least_ns):
        if self.heard - self.said >= least_ns:
            self.said = self.heard
            self.say("heard", until_ns=self.heard)

    def take(self, topic, header, *body):
        """One message of the publication; true at its end."""
        kind, = struct.unpack_from("<H", header, 2)
        if kind == 1:
            stream, channels, samples = struct.unpack_from("<HHH", header, 16)
            received, t0, _, period = struct.unpack_from("<qqqd", header, 48)
            self.heard = max(self.heard, received)
            into = self.streams.get(self.quantities.get(stream))
            if into is not None:
                # Exact: nanoseconds of host time fit a float of 53 bits for a hundred days.
                into.add(t0 + period * np.arange(samples), np.frombuffer(body[1], "<f4").reshape(samples, channels))
        elif kind == 2:
            description = json.loads(body[0])
            self.quantities.setdefault(description["id"], description["quantity"])
        elif kind == 3:
            event = json.loads(body[0])
            self.heard = max(self.heard, event["at_ns"])
            if event["name"] in ("step_began", "step_ended"):
                if self.strokes and self.strokes[-1]["ended"] is None:
                    self.strokes[-1]["ended"] = event["at_ns"]
                if event["name"] == "step_began" and event["arguments"][1] == STROKE:
                    self.strokes.append({"step": int(event["arguments"][0]), "began": event["at_ns"], "ended": None})
        return kind == 5

    def answer(self, at_end):
        """To the strokes that have ended and whose data are all there."""
        newest = min(s.newest() for s in self.streams.values())
        while self.strokes and (at_end or self.strokes[0]["ended"] is not None and newest >= self.strokes[0]["ended"]):
            stroke = self.strokes.pop(0)
            found = self.hear(stroke) if stroke["ended"] is not None else []
            name = {"step": stroke["step"], "began_ns": stroke["began"]}
            if found:
                self.say("detections", **name, detections=found)
            self.say("done", **name, detections=len(found))
        # Events may come 2 s of data behind the blocks.
        needed = self.strokes[0]["began"] if self.strokes else newest
        for s in self.streams.values():
            s.forget(min(needed, newest - 3e9))

    def hear(self, stroke):
        times, forces = self.streams["force"].all()
        at, places = self.streams["position"].all()
        within = (times >= stroke["began"]) & (times < stroke["ended"])
        if within.sum() < 100 or len(at) < 2:
            return []
        times, normal = times[within], self.roles["normal_sign"] * forces[within, self.roles["normal_channel"]]
        x_mm = 1e3 * np.interp(times, at, places[:, 0].astype(float))
        z_mm = 1e3 * np.interp(times, at, places[:, 2].astype(float))
        # The last position that was interpolated to is the newest thing this rests on.
        known = at[min(np.searchsorted(at, stroke["ended"]), len(at) - 1)]
        return [{"x_mm": x, "at_s": t, "known_s": max(known, times[-1]) / 1e9, "score": float(score)}
                for x, t, score in detect(times, x_mm, normal + STIFFNESS_N_MM * z_mm)]


if __name__ == "__main__":
    sys.exit(Detector(*sys.argv[1:3]).run())
