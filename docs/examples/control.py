#!/usr/bin/python3
# Takes control of a served bench, resets it, runs a protocol and prints its verdict: control.py ENDPOINT PROTOCOL
import json, sys, time, zmq
socket = zmq.Context().socket(zmq.REQ); socket.connect(sys.argv[1]); token, count = "", 0
def ask(verb, **arguments):
    global count
    count += 1
    socket.send_json({"strigil_control": 1, "id": count, "verb": verb, "client": "control.py", "token": token, "arguments": arguments})
    answer = socket.recv_json()
    return answer["result"] if answer["ok"] else sys.exit(f"refused ({answer['code']}): {answer['refusal']}")
token = ask("take")["token"]; ask("reset"); runs = len(ask("runs")["runs"])
while ask("status")["use"] != "by_hand": time.sleep(0.1)
ask("run", protocol=sys.argv[2])
while len(done := ask("runs")["runs"]) == runs: ask("renew"); time.sleep(0.5)
print(done[-1]["judgement"], done[-1]["file"], *done[-1]["reasons"], sep="\n")
