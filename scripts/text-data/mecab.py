"""Reads the words of a compiled MeCab dictionary (`sys.dic`)."""

import array
import struct


def words(path):
    """Yields (word, cost, features as a list) for every entry."""
    data = open(path, "rb").read()
    sizes = struct.unpack_from("<10I", data)
    darts, tokens, features = sizes[6], sizes[7], sizes[8]
    charset = data[40:72].rstrip(b"\0").decode().lower()
    start = 72
    units = array.array("i", data[start : start + darts])
    tokens_at, features_at = start + darts, start + darts + tokens
    texts = data[features_at : features_at + features]
    for word, value in _keys(units):
        for entry in range(value >> 8, (value >> 8) + (value & 0xFF)):
            _, _, _, cost, feature, _ = struct.unpack_from("<HHHhII", data, tokens_at + 16 * entry)
            line = texts[feature : texts.index(b"\0", feature)].decode(charset)
            yield word.decode(charset, "replace"), cost, line.split(",")


def _keys(units):
    """Yields the keys of a double array, and their values: parents are followed backwards."""
    base, check = units[0::2], units[1::2]
    owner = {b: place for place, b in enumerate(base) if b > 0 and (check[place] or not place)}
    for place, value in enumerate(base):
        if value >= 0 or check[place] != place:
            continue
        letters, node = bytearray(), owner.get(place)
        while node:
            letters.append(node - check[node] - 1)
            node = owner.get(check[node])
        if node == 0 and letters:
            letters.reverse()
            yield bytes(letters), -value - 1
