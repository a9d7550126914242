#!/usr/bin/env python3
"""Sends files with dicomweb-client's STOW-RS, all in one request.

Prints one JSON object: how many instances the answer calls stored and how many failed, or the HTTP
status of a refusal.
"""

import argparse
import json

import requests
from dicomweb_client.api import DICOMwebClient
from pydicom import dcmread


def main():
    """Sends and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    client = DICOMwebClient(options.url, headers={"Authorization": f"Bearer {options.token}"})
    try:
        answer = client.store_instances([dcmread(path) for path in options.files])
    except requests.HTTPError as error:
        print(json.dumps({"status": error.response.status_code}))
        return
    counts = {
        "stored": len(answer.get("ReferencedSOPSequence", [])),
        "failed": len(answer.get("FailedSOPSequence", [])),
    }
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
