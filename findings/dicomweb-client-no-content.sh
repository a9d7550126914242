#!/usr/bin/env bash
# dicomweb-client 0.61.2: an answer of 204 (no content) is an empty list to searches and to the
# metadata of a series, and an exception of Python's own to the metadata of an instance
# (IndexError), to frames and to an instance (KeyError): a caller that expects HTTP errors does not
# catch them.
#
# Seen: [] | [] | IndexError | KeyError | KeyError.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dicomweb-client==0.61.2
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import http.server
import threading

from dicomweb_client.api import DICOMwebClient


class NoContent(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NoContent)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = DICOMwebClient(f"http://127.0.0.1:{server.server_address[1]}")
uids = ("1.2.3", "1.2.3.4", "1.2.3.4.5")
calls = {
    "search_for_studies": client.search_for_studies,
    "retrieve_series_metadata": lambda: client.retrieve_series_metadata(*uids[:2]),
    "retrieve_instance_metadata": lambda: client.retrieve_instance_metadata(*uids),
    "retrieve_instance_frames": lambda: client.retrieve_instance_frames(*uids, [1]),
    "retrieve_instance": lambda: client.retrieve_instance(*uids),
}
seen = []
for name, call in calls.items():
    try:
        seen.append(repr(call()))
    except Exception as error:
        seen.append(type(error).__name__)
    print(f"{name}: {seen[-1]}")
raise SystemExit(0 if seen == ["[]", "[]", "IndexError", "KeyError", "KeyError"] else 1)
PYTHON
