"""Detects a file's encoding: by its first bytes, as UTF-8, else by what its words look like.

What is found has decoded the whole file. Two encodings in one file are told apart too.
"""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from deepcity.data.encodings.names import UTF8, codec_of, is_wide
from deepcity.data.encodings.scan import bad_byte, lines_of, open_bytes

SAMPLE_BYTES = 50_000
SAMPLE_LINES = 2_000
CLOSE = 0.03  # scores nearer to each other than this decide nothing
HEAD_BYTES = 4_096
CANDIDATES = [
    *("cp949", "cp932", "gb18030", "big5", "euc_jp", "cp1252", "cp1250", "cp1251", "cp1253"),
    *("cp1254", "cp1257", "koi8_r", "cp874"),
]
CORE = {"cp949": "euc_kr", "cp932": "shift_jis", "gb18030": "gb2312", "big5": "big5"}
"""Encodings of many characters, and the smaller ones that hold those in everyday use."""
_BOMS = {
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_MULTIBYTE = 0x7FF  # characters above take three bytes in UTF-8, which other text rarely imitates
_TELLING = 0.3  # what a sample counts for whose characters are none of the everyday ones


@dataclass(frozen=True)
class Mixture:
    """Rows in UTF-8 and rows in another encoding in one file; numbers of the first of each."""

    utf8_row: int
    other_row: int


@dataclass(frozen=True)
class FoundEncoding:
    """An encoding that reads a whole file.

    Attributes:
        name: as a city file states it.
        sample: a line of the file with characters that depend on it; may be empty.
        others: encodings that fit nearly as well, because the file has so few such characters.
    """

    name: str
    sample: str = ""
    others: tuple["FoundEncoding", ...] = ()


def find_encoding(path: Path) -> FoundEncoding | Mixture | None:
    """The encoding of a file, what it mixes, or None where nothing fits.

    Raises:
        OSError, EOFError, zlib.error: if it cannot be read or unpacked.
    """
    head = head_encoding(path)
    if head is not None:
        fits = bad_byte(path, codec_of(head) or head) is None
        return FoundEncoding(head) if fits else None
    other = bad_byte(path, UTF8)
    if other is None:
        return FoundEncoding(UTF8)
    sample = b""
    plain: list[tuple[int, bytes]] = []
    for row, line in lines_of(path):
        if _is_utf8(line):
            plain += [(row, line)] if len(plain) < SAMPLE_LINES else []
            continue
        sample += line + b"\n" if len(sample) < SAMPLE_BYTES else b""
    scores = _scores(sample)
    fitting: list[str] = []
    for name in sorted(scores, key=scores.__getitem__):
        if fitting and scores[name] > scores[fitting[0]] + CLOSE:
            break
        utf8_row = mixed_row(plain, name) or 0
        if utf8_row and not fitting:
            return Mixture(utf8_row, other.row)
        if not utf8_row and bad_byte(path, codec_of(name) or name) is None:
            fitting.append(name)
    found = [FoundEncoding(name, _first_line(sample, name)) for name in fitting]
    found = [one for n, one in enumerate(found) if one.sample not in [o.sample for o in found[:n]]]
    return replace(found[0], others=tuple(found[1:4])) if found else None


def _first_line(sample: bytes, name: str) -> str:
    text = sample.decode(codec_of(name) or name, errors="replace")
    return text.partition("\n")[0].strip()[:60]


def head_encoding(path: Path) -> str | None:
    """The encoding that the first bytes show: a byte order mark, or the zeros of UTF-16."""
    with open_bytes(path) as file:
        head = file.read(HEAD_BYTES)
    for mark, name in _BOMS.items():
        if head.startswith(mark):
            return name
    if len(head) < 2 or not head.count(0) * 4 >= len(head):
        return None
    return "utf-16-be" if head[0::2].count(0) > head[1::2].count(0) else "utf-16-le"


def mixed_row(lines: Iterable[tuple[int, bytes]], codec: str) -> int | None:
    """The first of these lines that is UTF-8 and makes no sense in this encoding."""
    return next(
        (row for row, line in lines if _is_utf8(line) and not reads_as(line, codec)),
        None,
    )


def reads_as(line: bytes, name: str) -> bool:
    """Whether a line that happens to be UTF-8 may as well be what it is in this encoding."""
    core = CORE.get(name, CORE.get(codec_of(name) or name))
    if core is None:
        return is_wide(name) or name == "cp874"  # Thai vowels look like the bytes of UTF-8
    try:
        text = line.decode(core)
    except UnicodeDecodeError:
        return False
    return (
        not any(ord(sign) > _MULTIBYTE for sign in line.decode(UTF8))
        and _core_share(text, name) > 0.5
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode(UTF8)
    except UnicodeDecodeError:
        return False
    return True


def _scores(sample: bytes) -> dict[str, float]:
    """How badly each encoding that may have written a sample fits it."""
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=CANDIDATES, enable_fallback=False)
    found = {match.encoding: match.chaos for match in matches}
    found |= {name: 0.5 for name in ("cp1252",) if name not in found}
    if min(found.values()) == found.get("cp1250", 1.0) and not _is_central(sample):
        found["cp1252"] = found["cp1250"] - 0.01  # the same letters, in the usual encoding

    def score(name: str) -> float:
        text = sample.decode(codec_of(name) or name, errors="replace")
        return found[name] + _TELLING * (1 - _core_share(text, name))

    return {name: score(name) for name in found}


def _is_central(sample: bytes) -> bool:
    """Whether bytes that differ in the encodings of Western and Central Europe are letters."""
    pairs = zip(sample.decode("cp1250", "replace"), sample.decode("cp1252", "replace"), strict=True)
    differing = [(one, other) for one, other in pairs if one != other]
    letters = [one.isalpha() and one.islower() for one, _ in differing]
    return bool(letters) and sum(letters) * 2 > len(letters)


def _core_share(text: str, name: str) -> float:
    """Share of the characters outside ASCII that are everyday ones in the encoding's language."""
    signs = list(islice((sign for sign in text if ord(sign) > 127), SAMPLE_LINES))
    core = CORE.get(name)
    if core is None or not signs:
        return 1.0
    fits = [_in(sign, core) and not (core == "euc_kr" and _is_ideograph(sign)) for sign in signs]
    return sum(fits) / len(fits)


def _in(sign: str, core: str) -> bool:
    try:
        size = len(sign.encode(core))
    except UnicodeEncodeError:
        return False
    half_width_kana = 0xFF61 <= ord(sign) <= 0xFF9F  # what misread text is full of
    return size <= 2 and not half_width_kana


def _is_ideograph(sign: str) -> bool:
    return "\u4e00" <= sign <= "\u9fff"
