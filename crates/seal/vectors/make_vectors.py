#!/usr/bin/env python3
"""Writes the test vectors beside it: a second implementation of docs/formats in Python.

Needs the packages `cryptography` and `blake3`. The output does not depend on the machine.
"""

import json
import pathlib
import struct

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = pathlib.Path(__file__).parent
PATTERN = b"Synthetic bytes.\n"
CHUNK_LOG2 = 12
CHUNK = 1 << CHUNK_LOG2
HOSPITAL = "st-wystan"
MAGIC = b"\x89SVO\r\n\x1a\n"
ZONES = {"vault": 1, "research": 2, "quarantine": 3}

ROOT_KEY = bytes(range(0x00, 0x20))
HOSPITAL_KEY = bytes(range(0x20, 0x40))
SUBJECT_KEY = bytes(range(0x40, 0x60))
PSEUDONYM_SECRET = bytes(range(0x60, 0x80))
DATA_KEY = bytes(range(0x80, 0xA0))
PREFIX = bytes(range(0xA0, 0xA7))
NONCE = bytes(range(0xB0, 0xBC))
SUBJECT = bytes(range(0xC0, 0xD0))
OBJECT = bytes(range(0xD0, 0xE0))


def derive(context, key):
    return blake3(key, derive_key_context=context).digest()


def keyed(context, key, *fields):
    message = b"".join(struct.pack("<Q", len(f)) + f for f in fields)
    return blake3(message, key=derive(context, key)).digest()


def wrap(parent, nonce, aad, secret):
    key = blake3(nonce + aad, key=derive("scanveil v1 key wrap", parent)).digest()
    return AESGCM(key).encrypt(nonce, secret, aad)


def key_aad(kind, hospital, subject):
    return b"".join(bytes([len(f)]) + f for f in (kind.encode(), hospital.encode(), subject))


def zone_key(zone, intake=False):
    if intake:
        return derive("scanveil v1 intake key", HOSPITAL_KEY)
    return derive("scanveil v1 zone key " + zone, SUBJECT_KEY)


def header(zone, intake=False, chunk_log2=CHUNK_LOG2):
    name = HOSPITAL.encode()
    head = MAGIC + struct.pack("<H", 1)
    head += bytes([ZONES[zone], chunk_log2, 1 if intake else 2, len(name)])
    head += name.ljust(32, b"\0") + (bytes(16) if intake else SUBJECT) + OBJECT + PREFIX + b"\0"
    assert len(head) == 86
    wrapped = wrap(zone_key(zone, intake), NONCE, b"\x08data-key" + head, DATA_KEY)
    return head + NONCE + wrapped


def chunk(head, number, last, plain):
    nonce = PREFIX + struct.pack(">I", number) + bytes([last])
    return AESGCM(DATA_KEY).encrypt(nonce, plain, blake3(head[:86]).digest())


def seal(plain, zone="vault", intake=False, chunk_log2=CHUNK_LOG2):
    size = 1 << chunk_log2
    head = header(zone, intake, chunk_log2)
    count = max(1, -(-len(plain) // size))
    parts = [plain[i * size : (i + 1) * size] for i in range(count)]
    return head + b"".join(chunk(head, i, i == count - 1, p) for i, p in enumerate(parts))


def body(length):
    return (PATTERN * (length // len(PATTERN) + 1))[:length]


def write(name, document):
    (HERE / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")


def shape(name, length, zone="vault", intake=False):
    plain = body(length)
    sealed = seal(plain, zone, intake)
    document = {
        "zone": zone,
        "hospital": HOSPITAL,
        "key": {"intake": HOSPITAL_KEY.hex()} if intake else {"subject": SUBJECT_KEY.hex()},
        "key_id": None if intake else SUBJECT.hex(),
        "object_id": OBJECT.hex(),
        "chunk_log2": CHUNK_LOG2,
        "nonce_prefix": PREFIX.hex(),
        "wrap_nonce": NONCE.hex(),
        "data_key": DATA_KEY.hex(),
        "plain": {"repeat": PATTERN.hex(), "length": length, "blake3": blake3(plain).hexdigest()},
        "sealed": {
            "header": sealed[:146].hex(),
            "length": len(sealed),
            "blake3": blake3(sealed).hexdigest(),
            "hex": sealed.hex() if len(sealed) < 512 else None,
        },
    }
    write(f"good-{name}", document)
    return sealed


def bad(name, about, base, sealed, stream, ranged, edits=None, key=None):
    write(
        f"bad-{name}",
        {
            "about": about,
            "base": base,
            "edits": edits,
            "hex": sealed.hex() if edits is None else None,
            "blake3": blake3(sealed).hexdigest(),
            "key": key,
            "stream_error": stream,
            "range_error": ranged,
        },
    )


def edited(sealed, edits):
    out = bytearray(sealed)
    for edit in edits:
        match edit:
            case {"set": at, "hex": value}:
                out[at : at + len(value) // 2] = bytes.fromhex(value)
            case {"xor": at, "mask": mask}:
                out[at] ^= mask
            case {"cut": at}:
                del out[at:]
            case {"append": value}:
                out += bytes.fromhex(value)
            case {"swap": [a, b], "length": n}:
                out[a : a + n], out[b : b + n] = out[b : b + n], out[a : a + n]
    return bytes(out)


def streams():
    shape("empty", 0)
    one = shape("one-byte", 1)
    shape("one-chunk", CHUNK)
    shape("chunk-and-one", CHUNK + 1)
    several = shape("several-chunks", 3 * CHUNK + 100)
    shape("research", 300, zone="research")
    shape("quarantine", 300, zone="quarantine")
    shape("intake", 300, intake=True)

    step = CHUNK + 16
    end = len(several)

    def edit(name, about, edits, stream, ranged):
        base = "good-several-chunks"
        bad(name, about, base, edited(several, edits), stream, ranged, edits)

    def code(number):
        return f"SV-SEAL-{number:03}"

    edit("magic", "the first byte is another", [{"xor": 0, "mask": 1}], code(1), code(1))
    edit("version", "version 2", [{"set": 8, "hex": "0200"}], code(2), code(2))
    edit("zone", "a zone that is not known", [{"set": 10, "hex": "09"}], code(3), code(3))
    edit("chunk-size", "chunks of 2^23 bytes", [{"set": 11, "hex": "17"}], code(3), code(3))
    about = "the hospital's padding is not zero"
    edit("padding", about, [{"xor": 45, "mask": 1}], code(3), code(3))
    flipped = "one bit of the object id is flipped"
    edit("header-bit", flipped, [{"xor": 62, "mask": 4}], code(4), code(4))
    edit("nonce-prefix", "one bit of it is flipped", [{"xor": 78, "mask": 128}], code(4), code(4))
    edit("wrapped-key", "one bit of it is flipped", [{"xor": 98, "mask": 1}], code(4), code(4))
    swap = [{"swap": [146, 146 + step], "length": step}]
    edit("chunks-swapped", "the first two chunks change places", swap, code(5), code(5))
    cut = [{"cut": 146 + 3 * step}]
    edit("chunk-dropped", "the last chunk is missing", cut, code(5), code(5))
    edit("tag-truncated", "the last tag lacks a byte", [{"cut": end - 1}], code(5), code(5))
    about = "the last chunk is shorter than a tag"
    edit("tail-truncated", about, [{"cut": end - 101}], code(6), code(6))
    edit("extra-bytes", "bytes follow the last chunk", [{"append": "00" * 5}], code(5), code(5))
    edit("header-only", "nothing follows the header", [{"cut": 146}], code(6), code(6))
    edit("half-header", "it ends within the header", [{"cut": 100}], code(6), code(6))
    edit("nothing", "no byte at all", [{"cut": 0}], code(6), code(6))

    head = header("vault")
    open_end = head + chunk(head, 0, False, body(40))
    about = "the only chunk is not marked as the last"
    bad("last-flag-missing", about, None, open_end, code(5), code(5))
    about = "an empty last chunk follows another one"
    empty_last = head + chunk(head, 0, False, body(CHUNK)) + chunk(head, 1, True, b"")
    bad("empty-last-chunk", about, None, empty_last, code(5), code(5))
    about = "the key of another subject"
    other = {"subject": bytes(32).hex()}
    base = "good-one-byte"
    bad("wrong-zone-key", about, base, one, code(4), code(4), [], key=other)


def keys():
    check = keyed("scanveil v1 root key check", ROOT_KEY)[:4]
    wraps = []
    for kind, parent, subject, secret in (
        ("hospital-key", ROOT_KEY, b"", HOSPITAL_KEY),
        ("subject-key", HOSPITAL_KEY, SUBJECT, SUBJECT_KEY),
        ("pseudonym-secret", HOSPITAL_KEY, b"", PSEUDONYM_SECRET),
    ):
        sealed = wrap(parent, NONCE, key_aad(kind, HOSPITAL, subject), secret)
        wrapped = {"version": 1, "kind": kind, "nonce": NONCE.hex(), "sealed": sealed.hex()}
        wraps.append({"wrapped": wrapped, "secret": secret.hex()})
    names = (("", "SYN-0001"), ("WYSTAN", "SYN-0001"), ("WYSTAN ", " SYN-0001\0"))
    subjects = [
        {
            "issuer": issuer,
            "patient_id": patient,
            "subject_id": keyed(
                "scanveil v1 subject id",
                HOSPITAL_KEY,
                issuer.strip(" \0").encode(),
                patient.strip(" \0").encode(),
            )[:16].hex(),
        }
        for issuer, patient in names
    ]
    study = keyed("scanveil v1 keyed id", HOSPITAL_KEY, b"study", b"2.25.1")[:16]
    project = keyed("scanveil v1 project secret", PSEUDONYM_SECRET, b"lungs")
    write(
        "keys",
        {
            "root_key": ROOT_KEY.hex(),
            "root_text": f"scanveil-root-key-1:{ROOT_KEY.hex()}:{check.hex()}",
            "hospital": HOSPITAL,
            "hospital_key": HOSPITAL_KEY.hex(),
            "subject": SUBJECT.hex(),
            "subject_key": SUBJECT_KEY.hex(),
            "pseudonym_secret": PSEUDONYM_SECRET.hex(),
            "wraps": wraps,
            "intake_key": zone_key("vault", intake=True).hex(),
            "zone_keys": {zone: zone_key(zone).hex() for zone in ZONES},
            "subject_ids": subjects,
            "keyed_id": {"use": "study", "bytes": b"2.25.1".hex(), "id": study.hex()},
            "project_secret": {"project": "lungs", "secret": project.hex()},
        },
    )


def write_pack(name, bodies, index):
    text = json.dumps(index, separators=(",", ":")).encode()
    plain = b"".join(bodies) + text + struct.pack("<Q", len(text)) + b"SVPACK\r\n"
    sealed = seal(plain, index["zone"], chunk_log2=18)
    write(
        name,
        {
            "subject_key": SUBJECT_KEY.hex(),
            "nonce_prefix": PREFIX.hex(),
            "wrap_nonce": NONCE.hex(),
            "data_key": DATA_KEY.hex(),
            "object_id": OBJECT.hex(),
            "repeat": PATTERN.hex(),
            "index": index,
            "sealed": sealed.hex(),
            "blake3": blake3(sealed).hexdigest(),
        },
    )


def certified_pack():
    data = body(200)
    entry = {
        "sop_instance_uid": "2.25.101",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.4",
        "series_instance_uid": "2.25.2",
        "study_instance_uid": "2.25.3",
        "transfer_syntax": "1.2.840.10008.1.2.1",
        "offset": 0,
        "length": len(data),
        "digest": blake3(data).hexdigest(),
        "source": blake3(body(201)).hexdigest(),
        "reasons": [],
        "attributes": {"Modality": "MR"},
    }
    index = {
        "version": 1,
        "zone": "research",
        "hospital": HOSPITAL,
        "subject": SUBJECT.hex(),
        "project": "lungs",
        "generation": 3,
        "profile": "basic@0123456789abcdef",
        "patient_pseudonym": "SV-1",
        "study_key": bytes(range(16)).hex(),
        "received_at_ms": 1767225600000,
        "certificate": '{\n  "format": 1,\n  "study": "2.25.3"\n}\n',
        "entries": [entry],
    }
    write_pack("pack-with-certificate", [data], index)


def pack():
    bodies = [body(200), body(33)]
    entries = []
    offset = 0
    for number, data in enumerate(bodies, 1):
        entries.append(
            {
                "sop_instance_uid": f"2.25.10{number}",
                "sop_class_uid": "1.2.840.10008.5.1.4.1.1.4",
                "series_instance_uid": "2.25.2",
                "study_instance_uid": "2.25.3",
                "transfer_syntax": "1.2.840.10008.1.2.1" if number == 1 else None,
                "offset": offset,
                "length": len(data),
                "digest": blake3(data).hexdigest(),
                "source": None,
                "reasons": [{"code": "pixel-risk", "at": None, "detail": "ultrasound"}]
                if number == 2
                else [],
                "attributes": {},
            }
        )
        offset += len(data)
    index = {
        "version": 1,
        "zone": "quarantine",
        "hospital": HOSPITAL,
        "subject": SUBJECT.hex(),
        "project": None,
        "generation": None,
        "profile": None,
        "patient_pseudonym": None,
        "study_key": bytes(range(16)).hex(),
        "received_at_ms": 1767225600000,
        "entries": entries,
    }
    write_pack("pack-two-instances", bodies, index)


if __name__ == "__main__":
    streams()
    keys()
    pack()
    certified_pack()
