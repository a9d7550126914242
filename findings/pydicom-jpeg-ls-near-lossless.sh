#!/usr/bin/env bash
# pydicom 3.0.2 with pyjpegls 1.5.1 (CharLS): near-lossless JPEG-LS over signed words of 16 bits
# does not keep its bound at the ends of the range. JPEG-LS knows no sign (ISO 14495-1): the bytes
# of -32768 and of 32767 are neighbours for it, and an error of 1 between them is one of 65,535 in
# the image.
#
# Seen: bound 1, largest error 65535, in one pixel: 32767 came back as -32768.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    pydicom==3.0.2 pyjpegls==1.5.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSNearLossless

BOUND = 1
pixels = np.zeros((16, 16), np.int16)
pixels[:8] = np.linspace(-32768, -32700, 128).reshape(8, 16)
pixels[8:] = np.linspace(32700, 32767, 128).reshape(8, 16)

ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
ds.Rows = ds.Columns = 16
ds.SamplesPerPixel = 1
ds.BitsAllocated = ds.BitsStored = 16
ds.HighBit = 15
ds.PixelRepresentation = 1
ds.PhotometricInterpretation = "MONOCHROME2"
ds.PixelData = pixels.tobytes()
ds.compress(JPEGLSNearLossless, jls_error=BOUND, generate_instance_uid=False)
ds.save_as("near.dcm", enforce_file_format=True)

back = dcmread("near.dcm").pixel_array
errors = np.abs(back.astype(int) - pixels.astype(int))
at = np.unravel_index(errors.argmax(), errors.shape)
print(f"bound {BOUND}, largest error {errors.max()}, over it: {(errors > BOUND).sum()} pixels;",
      f"{pixels[at]} came back as {back[at]}")
raise SystemExit(0 if errors.max() > 60_000 else 1)
PYTHON
