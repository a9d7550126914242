#!/usr/bin/env bash
# dcm2niix 1.0.20260724: `-ba y` (the default) writes an anonymized sidecar, which leaves out
# Patient's Name, ID and birth date, UIDs, Accession Number and Referring Physician, and writes
# Image Comments, institution, station, serial number and the descriptions as they are: free text
# with a name in it among them.
#
# Seen: all five planted texts are in the JSON file, Patient's Name is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    dcm2niix==1.0.20260724 pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import json
import os
import subprocess

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

rng = np.random.default_rng(1)


def slice_of(path, number, position, **attributes):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = MRImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.{100 + number}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.1", "2.25.2"
    ds.Modality = "MR"
    ds.Manufacturer = "GE MEDICAL SYSTEMS"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    ds.ScanningSequence, ds.MRAcquisitionType = "EP", "2D"
    ds.RepetitionTime, ds.EchoTime, ds.MagneticFieldStrength = 5000, 80, 3
    ds.InPlanePhaseEncodingDirection, ds.PatientPosition = "COL", "HFS"
    ds.StudyDate, ds.StudyTime = "20200101", "100000"
    ds.SeriesNumber, ds.AcquisitionNumber, ds.InstanceNumber = 3, 1, number
    ds.Rows = ds.Columns = 16
    ds.SamplesPerPixel = 1
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = 0
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.PixelSpacing, ds.SliceThickness, ds.SpacingBetweenSlices = [2, 2], 2, 2
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.ImagePositionPatient = position
    ds.PixelData = rng.integers(0, 900, (16, 16)).astype(np.uint16).tobytes()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds

PLANTED = {
    "ImageComments": "Ottoline Quillfeather, born 1953-06-27",
    "InstitutionName": "St Wystan Infirmary",
    "StationName": "WYSTANMR2",
    "DeviceSerialNumber": "SN77123",
    "SeriesDescription": "brain Quillfeather",
}
os.makedirs("in")
os.makedirs("out")
for z in range(4):
    ds = slice_of("in", z + 1, [0, 0, 2 * z], **PLANTED, PatientName="Quillfeather^Ottoline")
    ds.save_as(f"in/{z}.dcm", enforce_file_format=True)
command = ["venv/bin/dcm2niix", "-ba", "y", "-o", "out", "-f", "x", "in"]
subprocess.run(command, check=True, capture_output=True)
with open("out/x.json", encoding="utf-8") as file:
    sidecar = json.load(file)
left = {key: sidecar[key] for key, value in PLANTED.items() if sidecar.get(key) == value}
print("left in the anonymized sidecar:", json.dumps(left, indent=1))
print("PatientName there:", "PatientName" in sidecar)
raise SystemExit(0 if left == PLANTED and "PatientName" not in sidecar else 1)
PYTHON
