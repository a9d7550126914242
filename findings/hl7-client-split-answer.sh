#!/usr/bin/env bash
# hl7 0.4.5 (python-hl7): MLLPClient.send_message() takes one recv() for the answer. When an
# acknowledgement comes in two pieces, as TCP may cut it, the call gives the first piece, and every
# later call gives the end of the answer before and the beginning of its own: a refusal is read as
# belonging to the next message.
#
# Seen: the answer to message 2 holds the acknowledgement of message 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check hl7==0.4.5
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import socket
import threading

from hl7.client import MLLPClient

START, END = b"\x0b", b"\x1c\x0d"
listener = socket.create_server(("127.0.0.1", 0))
taken = threading.Semaphore(0)


def serve():
    peer, _ = listener.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for number in (1, 2):
        message = b""
        while not message.endswith(END):
            message += peer.recv(4096)
        answer = f"MSH|^~\\&|R|R|S|S|2026||ACK|{number}|P|2.5\rMSA|AA|{number}\r".encode()
        peer.sendall(START + answer[:20])
        # The rest only when the client has returned from its call.
        taken.acquire()
        peer.sendall(answer[20:] + END)
        taken.release()
    peer.close()


threading.Thread(target=serve, daemon=True).start()
answers = []
with MLLPClient("127.0.0.1", listener.getsockname()[1]) as client:
    for number in (1, 2):
        message = f"MSH|^~\\&|S|S|R|R|2026||ADT^A01|{number}|P|2.5\rPID|1\r"
        answers.append(client.send_message(message))
        taken.release()
        print(f"answer to message {number}: {answers[-1]!r}")
raise SystemExit(0 if b"MSA|" not in answers[0] and b"MSA|AA|1\r" in answers[1] else 1)
PYTHON
