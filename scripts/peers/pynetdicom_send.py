#!/usr/bin/env python3
"""Sends files with pynetdicom's C-STORE, each in its own transfer syntax, over one association.

Prints one JSON object: how many files were answered with which status, or why there was no
association. With --tls everything goes over TLS 1.3 with a client certificate.
"""

import argparse
import collections
import json
import ssl

from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.pdu import A_ASSOCIATE_RJ


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--called", required=True)
    parser.add_argument("--calling", default="PYNETDICOM")
    parser.add_argument("--tls", nargs=3, metavar=("CA", "CERTIFICATE", "KEY"))
    parser.add_argument("files", nargs="+")
    return parser.parse_args()


def tls(ca, certificate, key):
    """TLS 1.3 and nothing older, the receiver's certificate checked."""
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    return context, "localhost"


def main():
    """Sends and prints."""
    options = arguments()
    entity = AE(ae_title=options.calling)
    files = [dcmread(path) for path in options.files]
    for pair in sorted({(d.SOPClassUID, d.file_meta.TransferSyntaxUID) for d in files}):
        entity.add_requested_context(*pair)
    secure = {"tls_args": tls(*options.tls)} if options.tls else {}
    # The association itself forgets a rejection that comes before it has looked whether it is
    # connected.
    reasons = []

    def received(event):
        if isinstance(event.pdu, A_ASSOCIATE_RJ):
            reasons.append(event.pdu.reason_str)

    association = entity.associate(
        "127.0.0.1", options.port, ae_title=options.called,
        evt_handlers=[(evt.EVT_PDU_RECV, received)], **secure)
    if not association.is_established:
        print(json.dumps({"rejected": reasons[0] if reasons else "no association"}))
        return
    statuses = collections.Counter()
    for instance in files:
        answer = association.send_c_store(instance)
        statuses[f"{answer.Status:04X}" if answer else "none"] += 1
    association.release()
    print(json.dumps({"statuses": statuses}))


if __name__ == "__main__":
    main()
