#!/usr/bin/env bash
# SimpleITK 2.5.7: a series of two axial and two coronal slices is read as one volume: size 4
# slices, axial direction for all of them, a distance between them that none of them has. The only
# sign is ITK's line on stderr about sampling that is not uniform; nothing says that orientations
# differ.
#
# Seen: size (16, 16, 4), spacing 0.745, direction of the axial slices.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    SimpleITK==2.5.7 pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import os

import SimpleITK as sitk
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


AXIAL, CORONAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1]
SLICES = [(AXIAL, [0, 0, 0]), (AXIAL, [0, 0, 1]), (CORONAL, [0, 1, 1]), (CORONAL, [0, 2, 1])]
os.makedirs("in")
for number, (orientation, position) in enumerate(SLICES, 1):
    ds = slice_of("in", number, position, ImageOrientationPatient=orientation)
    ds.save_as(f"in/{number}.dcm", enforce_file_format=True)
reader = sitk.ImageSeriesReader()
reader.SetFileNames(reader.GetGDCMSeriesFileNames("in"))
volume = reader.Execute()
print("one volume of size", volume.GetSize(), "spacing", volume.GetSpacing())
print("direction", volume.GetDirection())
axial = volume.GetDirection() == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
raise SystemExit(0 if volume.GetSize() == (16, 16, 4) and axial else 1)
PYTHON
