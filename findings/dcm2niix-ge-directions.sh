#!/usr/bin/env bash
# dcm2niix 1.0.20260724: of a GE diffusion series whose b value (0043,xx39) is there and whose
# directions (0019,xxBB to xxBD) are not, .bval says 0 for every volume, with exit status 0 and no
# message about it. PS3.15 E.3.10 lists the b value as a safe private attribute and not the
# directions, so that a file cleaned by the letter of it converts to a series without diffusion.
# With the public (0018,9087) and (0018,9089) the values are right.
#
# Seen: both 0 1000 1000 | b value only 0 0 0 | public 0 1000 1000.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    dcm2niix==1.0.20260724 pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
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


def convert(name, private, public):
    os.makedirs(f"{name}/out")
    number = 0
    for b, direction in [(0, (0, 0, 0)), (1000, (1, 0, 0)), (1000, (0, 1, 0))]:
        for z in range(4):
            number += 1
            ds = slice_of(name, number, [0, 0, 2 * z])
            # The b value, which PS3.15 E.3.10 lists as safe.
            ds.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x39, "IS", [b, 8, 0, 0])
            if private:
                block = ds.private_block(0x0019, "GEMS_ACQU_01", create=True)
                for element, value in zip((0xBB, 0xBC, 0xBD), direction):
                    block.add_new(element, "DS", str(value))
            if public:
                ds.DiffusionBValue = float(b)
                ds.DiffusionGradientOrientation = [float(value) for value in direction]
            ds.save_as(f"{name}/{number}.dcm", enforce_file_format=True)
    command = ["venv/bin/dcm2niix", "-o", f"{name}/out", "-f", "x", name]
    ended = subprocess.run(command, capture_output=True, text=True)
    with open(f"{name}/out/x.bval", encoding="ascii") as file:
        values = file.read().split()
    said = "b value" in (ended.stdout + ended.stderr).lower()
    print(f"{name}: exit {ended.returncode}, b values {values}, said so: {said}")
    return ended.returncode, values, said


both = convert("both", private=True, public=False)
only = convert("b-value-only", private=False, public=False)
public = convert("public", private=False, public=True)
right = ["0", "1000", "1000"]
as_described = both[1] == right and public[1] == right and only == (0, ["0", "0", "0"], False)
raise SystemExit(0 if as_described else 1)
PYTHON
