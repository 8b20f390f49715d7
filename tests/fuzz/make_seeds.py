#!/usr/bin/python3
"""make_seeds.py FOLDER: what each fuzz target begins with, made of the golden files: FOLDER/<target>/*."""
import shutil
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = Path(sys.argv[1])


def folder(target):
    path = OUT / target
    path.mkdir(parents=True, exist_ok=True)
    return path


def golden(name):
    files = sorted((ROOT / "tests" / "daq" / name).glob("*.bin"))
    assert files, name
    return files


for target in ("cobs_fuzz", "sensor_stream_fuzz"):
    for file in golden("golden_sensor_stream"):
        shutil.copy(file, folder(target) / file.name)

for file in golden("golden_publish"):  # parts with a length of four bytes; the target wants two
    parts, data = b"", file.read_bytes()
    while data:
        (size,) = struct.unpack_from("<I", data)
        parts += struct.pack("<H", size) + data[4:4 + size]
        data = data[4 + size:]
    (folder("message_fuzz") / file.name).write_bytes(parts)

words = [b"strigil/1/ack/screen"] + [b"strigil/1/ack/screen/deadbeef/%d/force=%d,vibration=%d" % (i, 64 * i, 32 * i) for i in range(4)]
(folder("message_fuzz") / "acknowledgements").write_bytes(b"".join(struct.pack("<H", len(w)) + w for w in words))

documents = [f for place in ("rig/benches", "protocols/library", "docs/examples") for f in (ROOT / place).glob("*.toml")]
assert documents
for file in documents:
    shutil.copy(file, folder("toml_fuzz") / file.name)
(folder("toml_fuzz") / "keys.toml").write_text(
    'name = "x"\nnormal_force_N = [1, 2.5]\nspeed_mm_s = 3\nrepeats = 2\nhome = true\n'
    "[stage]\nrepeats = 1\n[[stage.step]]\nnormal_force_N = -5\n[force]\n[[step]]\nname = \"refuse me\"\n")


# What is a calibration, from outside: a small DCC, the parts of a record, a unit, a check.
calibration = folder("dcc_fuzz")
REAL = "<s:real><s:value>1</s:value><s:unit>\\newton</s:unit><s:expandedUnc><s:uncertainty>0.1</s:uncertainty><s:coverageFactor>2</s:coverageFactor></s:expandedUnc></s:real>"
LIST = ("<s:realListXMLList><s:valueXMLList>1 2</s:valueXMLList><s:unitXMLList>\\kilo\\newton</s:unitXMLList>"
        "<s:expandedUncXMLList><s:uncertaintyXMLList>0.1</s:uncertaintyXMLList><s:coverageFactorXMLList>2</s:coverageFactorXMLList></s:expandedUncXMLList></s:realListXMLList>")
for name, quantity in (("real", REAL), ("list", LIST), ("hybrid", f"<s:hybrid>{REAL}</s:hybrid>"), ("reals", f"<s:list>{REAL}{REAL}</s:list>")):
    (calibration / name).write_bytes(b"\0" + (
        '<digitalCalibrationCertificate xmlns="https://ptb.de/dcc" xmlns:s="https://ptb.de/si" schemaVersion="3.3.0"><administrativeData><coreData>'
        "<uniqueIdentifier>1</uniqueIdentifier><beginPerformanceDate>2025-01-02</beginPerformanceDate><endPerformanceDate>2025-01-03</endPerformanceDate></coreData>"
        "<items><item><identifications><identification><issuer>manufacturer</issuer><value>S</value></identification></identifications></item></items>"
        "<calibrationLaboratory><contact><name><content>L</content></name></contact></calibrationLaboratory></administrativeData><measurementResults><measurementResult>"
        f"<results><result><data><quantity>{quantity}</quantity></data></result></results></measurementResult></measurementResults></digitalCalibrationCertificate>").encode())
(calibration / "record").write_bytes(b"\1{\n \"format\": \"strigil-calibration\",\n \"version\": \"1.0\",\n \"kind\": \"revocation\",\n")
(calibration / "unit").write_bytes(b"\2\\milli\\metre\\per\\second\\tothe{2}")
(calibration / "check").write_bytes(
    b'\3{"at":"2026-11-01T00:00:00.000Z","standard":"w","calibration":"","value":1,"unit":"N","expected":1,"tolerance":0.1,"operator":"","mended":"","passed":true,"failures":[]}')


def record(sequence, ticks, status=0):
    return struct.pack(">III6i", sequence & 0xFFFFFFFF, ticks & 0xFFFFFFFF, status, *(sequence + a for a in range(6)))


rdt = folder("rdt_fuzz")
(rdt / "request").write_bytes(struct.pack(">HHI", 0x1234, 2, 0))
(rdt / "in_order").write_bytes(b"".join(record(i, 90 + i) for i in range(1, 80)))
(rdt / "over_the_wrap").write_bytes(b"".join(record(i, i + 9) for i in range(2**31 - 40, 2**31 - 20)))
(rdt / "late_again_lost").write_bytes(b"".join(record(i, i) for i in (1, 2, 5, 3, 5, 6, 20, 19)))
(rdt / "restarts").write_bytes(b"".join(record(i, t) for i, t in ((5000, 9000), (5001, 9001), (1, 9002), (2, 9003), (1, 4), (2, 5))))
(rdt / "sick").write_bytes(b"".join(record(i, i, 0x80000000 if i % 3 == 0 else 0) for i in range(1, 9)) + b"tail")

lines = ["\r\nGrbl 1.1h ['$' for help]\r\n", "<Idle|MPos:1.000,2.000,-3.000|Bf:15,128|FS:0,0>\r\n", "$J=G53G21X1.500Y0.000Z0.000F600.0\n",
         "$13=0\r\n$110=12000.000\r\nok\r\n", "?", "ok\r\n", "error:15\r\n", "ALARM:1\r\n", "$X\n", "\x18", "!", "~", "$$\n"]
(folder("grbl_fuzz") / "conversation").write_bytes(b"".join(bytes([len(s)]) + s.encode("latin-1") for s in lines))

def tmcl(*head, value=0):
    frame = struct.pack(">4Bi", *head, value)
    return frame + bytes([sum(frame) & 0xFF])


requests = [tmcl(1, 1, 0, 0, value=50000), tmcl(1, 6, 1, 0), tmcl(1, 3, 0, 0), tmcl(1, 13, 0, 2), tmcl(1, 4, 0, 1, value=70000), tmcl(1, 9, 60, 2, value=50)]
replies = [tmcl(2, 1, 100, 10, value=1), tmcl(2, 1, 100, 136, value=6214 << 16), tmcl(2, 1, 100, 6, value=-1234), tmcl(2, 1, 4, 1)]
(folder("tmcl_fuzz") / "frames").write_bytes(b"\0" + b"".join(bytes([len(f)]) + f for f in requests + replies))
(folder("tmcl_fuzz") / "conversation").write_bytes(b"\1" + bytes([9, 32, 200, 0, 2, 81, 0, 70, 0, 16, 0, 200, 4, 48, 99, 5, 9, 17, 0, 130, 1, 2, 3, 0]))


def zaber(text):
    return (text + f":{-sum(text[1:].encode()) & 0xFF:02X}\r\n").encode()


lines = [zaber(t) for t in ("/1 0 00 get pos", "/1 1 01 move vel 12345", "/1 0 02 stop", "/1 0 03 trigger 1 when time 10",
                            "/1 0 04 trigger 1 action a user.vdata.0 -= 1", "/1 3 05 home", "@01 0 00 OK IDLE -- 0",
                            "@01 0 01 OK BUSY WR 10 -20 30", "@01 1 02 RJ IDLE FS BADDATA", "!01 1 IDLE --", "#01 0 hello")]
(folder("zaber_fuzz") / "lines").write_bytes(b"\0" + b"".join(bytes([len(f)]) + f for f in lines))
(folder("zaber_fuzz") / "conversation").write_bytes(b"\1" + bytes([9, 32, 200, 0, 2, 81, 0, 70, 0, 16, 0, 200, 4, 48, 99, 5, 9, 17, 0, 130, 1, 2, 3, 0]))

lines = ["*IDN?\n", "Strigil,SG-1,SG-0001,1.0\n", "SYST:ERR?\n", '0,"No error"\n', '-113,"Undefined header"\n', "OUTP ON\n", "OUTP?\n", "1\n", "FREQ 160\n",
         "VOLT 0.5\n", "FREQ?\n", "1.600000E+02\n", "*RST\n"]
(folder("scpi_fuzz") / "lines").write_bytes(b"\0" + b"".join(bytes([len(s)]) + s.encode() for s in lines))
(folder("scpi_fuzz") / "conversation").write_bytes(b"\1" + bytes([1, 80, 0, 0, 2, 160, 0, 0, 1, 30, 7, 0, 0, 0, 0, 9]))
