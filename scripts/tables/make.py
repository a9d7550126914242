#!/usr/bin/env python3
"""Writes the project's own tables (crates/scrub/tables) from reference data of the standard.

    python3 scripts/tables/make.py ../shared/reference

The tables are committed; this is run again when an edition of the standard changes them.
Needs pydicom, for the keywords of PS3.6.
"""
import collections
import csv
import gzip
import pathlib
import re
import sys

from pydicom.datadict import keyword_dict

SOURCE = pathlib.Path(sys.argv[1])
TABLES = pathlib.Path(__file__).parents[2] / "crates" / "scrub" / "tables"
TYPES = {"1": 1, "1C": 1, "2": 2, "2C": 2}


def rows(name):
    path = SOURCE / name
    opened = gzip.open(path, "rt") if name.endswith(".gz") else open(path, newline="")
    with opened as file:
        yield from csv.DictReader(file)


def attributes():
    """Modules, and the type of each attribute of them by the sequence that holds it."""
    modules = collections.defaultdict(dict)
    for row in rows("module-attributes.csv.gz"):
        tags = [keyword_dict.get(keyword) for keyword in row["path"].split(".")]
        if None in tags[-2:]:
            continue  # Repeating groups (overlays), which have one tag per group.
        place = (tags[-2] if len(tags) > 1 else 0, tags[-1])
        kind = TYPES.get(row["type"], 3)
        known = modules[row["module"]]
        known[place] = min(kind, known.get(place, 3))
    with open(TABLES / "attributes.txt", "w") as out:
        for module in sorted(modules):
            out.write(f"= {module}\n")
            parents = collections.defaultdict(list)
            for (parent, tag), kind in sorted(modules[module].items()):
                parents[parent].append(f"{tag:08X}{kind}")
            for parent, entries in parents.items():
                out.write(f"{parent:08X} {' '.join(entries)}\n")


def iods():
    """The modules of each information object definition."""
    listed = collections.defaultdict(list)
    for row in rows("iod-modules.csv"):
        if row["module"] not in listed[row["iod"]]:
            listed[row["iod"]].append(row["module"])
    with open(TABLES / "iods.txt", "w") as out:
        for iod in sorted(listed):
            out.write(f"{iod} {' '.join(sorted(listed[iod]))}\n")


OPTIONS = {
    "Rtn. UIDs Opt.": "retain-uids",
    "Rtn. Dev. Id. Opt.": "retain-device-identity",
    "Rtn. Inst. Id. Opt.": "retain-institution-identity",
    "Rtn. Pat. Chars. Opt.": "retain-patient-characteristics",
    "Rtn. Long. Full Dates Opt.": "full-dates",
    "Rtn. Long. Modif. Dates Opt.": "modified-dates",
    "Clean Desc. Opt.": "clean-descriptors",
}


def structured_content():
    """Table E.3.4-1: concepts of structured content."""
    with open(TABLES / "ps3.15-e3.4-1-2020c.csv", "w") as out:
        out.write("code,scheme,value type,basic,options\n")
        for row in rows("ps3.15-table-e3.4-1-clean-structured-content-2020c.csv"):
            code, scheme = row["Code Value"].strip(), row["Coding Scheme Designator"].strip()
            codes = [f"{name}={row[column].strip()}" for column, name in OPTIONS.items()
                     if row[column].strip()]
            basic = row["Basic Prof."].strip()
            out.write(f"{code},{scheme},{row['Value Type'].strip()},{basic},{' '.join(codes)}\n")


def safe_private():
    """Table E.3.10-1: private elements that are known to identify nobody."""
    with open(TABLES / "ps3.15-e3.10-1-2020c.csv", "w") as out:
        out.write("group,element,creator,vr\n")
        for row in rows("ps3.15-table-e3.10-1-safe-private-2020c.csv"):
            group, element = re.match(r"\((\w{4}),\s*xx(\w\w)\)", row["Data Element"]).groups()
            creator = row["Private Creator"].strip()
            quoted = f'"{creator}"' if "," in creator else creator
            out.write(f"{group.upper()},{element.upper()},{quoted},{row['VR'].strip() or 'UN'}\n")


attributes()
iods()
structured_content()
safe_private()
