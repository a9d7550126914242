"""De-identifies a folder with pydcm, which has no command of its own: peer_pydcm.py IN OUT."""

import os
import sys

import pydcm

source, target = sys.argv[1:3]
os.makedirs(target, exist_ok=True)
files = sorted(os.path.join(at, name) for at, _, names in os.walk(source) for name in names)
# One session for the whole folder, as its documentation asks for a study or series.
for number, data in enumerate(pydcm.deidentify_series(files)):
    with open(os.path.join(target, f"{number:06}.dcm"), "wb") as out:
        out.write(data)
