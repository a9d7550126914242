#!/usr/bin/env bash
# pydicom 3.0.2: decompress() leaves Extended Offset Table and Extended Offset Table Lengths
# (7FE0,0001 and 0002) in the data set, which now has native pixels (PS3.3 C.7.6.3.1.8 allows them
# with encapsulated pixels only). Compressing again writes other fragments behind the old table,
# and pydicom then cannot read its own file: it believes the table.
#
# Seen: the table is there after decompress(); reading the file that was compressed again raises
# RuntimeError "Unable to decode as exceptions were raised by all available plugins".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian, MultiFrameGrayscaleByteSecondaryCaptureImageStorage, RLELossless,
)

ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID = MultiFrameGrayscaleByteSecondaryCaptureImageStorage
ds.SOPInstanceUID = "2.25.1"
ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
ds.Rows = ds.Columns = 8
ds.SamplesPerPixel = 1
ds.BitsAllocated = ds.BitsStored = 8
ds.HighBit = 7
ds.PixelRepresentation = 0
ds.PhotometricInterpretation = "MONOCHROME2"
ds.NumberOfFrames = 3
ds.PixelData = np.arange(3 * 64, dtype=np.uint8).tobytes()
ds.compress(RLELossless, encapsulate_ext=True, generate_instance_uid=False)
ds.save_as("first.dcm", enforce_file_format=True)

ds = dcmread("first.dcm")
ds.decompress(generate_instance_uid=False)
stale = "ExtendedOffsetTable" in ds and "ExtendedOffsetTableLengths" in ds
print("after decompress():", ds.file_meta.TransferSyntaxUID.name, "| offset table there:", stale)

# Other pixels pack to other lengths.
pixels = np.random.default_rng(1).integers(0, 255, (3, 8, 8), dtype=np.uint8)
pixels[0] = 0
ds.PixelData = pixels.tobytes()
ds.compress(RLELossless, generate_instance_uid=False)
ds.save_as("again.dcm", enforce_file_format=True)
try:
    read = bool((dcmread("again.dcm").pixel_array == pixels).all())
    print("compressed again, the pixels are right:", read)
except RuntimeError as error:
    read = False
    print("compressed again, reading raises:", str(error).splitlines()[0])
raise SystemExit(0 if stale and not read else 1)
PYTHON
