"""What the scripts of this folder share: folding as the crate folds; reading and writing lists."""

import json
import pathlib
import unicodedata

DATA = pathlib.Path(__file__).resolve().parents[2] / "crates/text/data"


def _folds():
    lines = (DATA / "fold.txt").read_text(encoding="utf-8").splitlines()
    return {line[0]: line[1:] for line in lines if line}


FOLDS = _folds()


def fold(text):
    """Lower case without marks, traditional characters simplified."""
    folded = []
    for char in unicodedata.normalize("NFC", text):
        if char.isascii():
            folded.append(char.lower())
        elif not unicodedata.combining(char):
            folded.append(FOLDS.get(char, char.lower()))
    return "".join(folded)


def read(name):
    """The entries of a list; none when there is no such list yet."""
    path = DATA / name
    return set(path.read_text(encoding="utf-8").split("\n")) - {""} if path.exists() else set()


def write(name, words):
    """Writes a list: sorted by bytes, one entry a line."""
    ordered = sorted(set(words), key=lambda word: word.encode())
    (DATA / name).write_text("".join(word + "\n" for word in ordered), encoding="utf-8")
    print(f"{name}: {len(ordered)}")


def strings(value):
    """Every string inside lists and mappings."""
    if isinstance(value, str):
        yield value
    else:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def more_names(folder):
    """Given and family names of mimesis and faker-js, in all their languages."""
    names = json.loads((folder / "faker-js-faker/names.json").read_text(encoding="utf-8"))
    given, family = set(names["given"]), set(names["family"])
    for path in (folder / "mimesis/mimesis/datasets").glob("**/person.json"):
        person = json.loads(path.read_text(encoding="utf-8"))
        given.update(strings(person.get("names", {})))
        family.update(strings(person.get("surnames", {})))
    return given, family
