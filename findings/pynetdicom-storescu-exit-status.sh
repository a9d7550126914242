#!/usr/bin/env bash
# pynetdicom 3.0.4: its storescu ends with status 0 and says nothing when the receiver refuses the
# instance (A700, out of resources, PS3.4 B.2.3). A script that pushes with it and deletes what was
# sent loses the instance. (An association that is rejected does end with 1.)
#
# Seen: the receiver answered A700 once; exit status 0, no output.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import subprocess
import sys

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt

ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
ds.PatientID = "INVENTED"
ds.save_as("one.dcm", enforce_file_format=True)

refused = []


def refuse(event):
    refused.append(event.request.AffectedSOPInstanceUID)
    return 0xA700


receiver = AE()
receiver.add_supported_context(CTImageStorage, ExplicitVRLittleEndian)
server = receiver.start_server(
    ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, refuse)]
)
port = str(server.socket.getsockname()[1])
command = [sys.executable, "-m", "pynetdicom", "storescu", "127.0.0.1", port, "one.dcm"]
ended = subprocess.run(command, capture_output=True, text=True)
server.shutdown()
output = (ended.stdout + ended.stderr).strip()
print("refused:", len(refused), "| exit status:", ended.returncode, "| output:", repr(output))
raise SystemExit(0 if len(refused) == 1 and ended.returncode == 0 and not output else 1)
PYTHON
