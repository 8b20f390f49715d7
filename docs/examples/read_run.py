#!/usr/bin/env python3
"""Reads a Strigil run file with h5py and prints each stream in physical units (docs/run_file.md)."""
import sys, h5py
with h5py.File(sys.argv[1], "r", swmr=True) as run:
    for name, stream in run["streams"].items():
        values = stream["counts"][:] * stream.attrs["scale"] + stream.attrs["offset"]
        labels = [f"{c.decode()} [{u.decode()}]" for c, u in zip(stream.attrs["channels"], stream.attrs["units"])]
        print(f"{name}: {len(values)} samples of {', '.join(labels)}; mean {values.mean(axis=0) if len(values) else '-'}")
    print("end:", bytes(run["end"][:]).decode() or "(the writer never came to it)")
