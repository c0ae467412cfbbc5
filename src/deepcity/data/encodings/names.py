"""Names of encodings: all that Python knows, and those that people and spreadsheets use."""

import codecs
from typing import Annotated

from pydantic import AfterValidator

from deepcity.data.config.toml_file import did_you_mean, wrong

UTF8, LOSSY = "utf8", "utf8-lossy"
KNOWN = (
    *(UTF8, LOSSY, "cp949", "euc-kr", "utf-16", "latin-1", "cp1252", "shift_jis", "gb18030"),
    *("big5", "cp1250", "cp1251", "iso8859-15"),
)
_SPELLINGS = {"utf8_lossy": LOSSY, "windows_949": "cp949", "ms_949": "cp949", "unicode": "utf_16"}
_WIDER = {
    "utf_8_sig": UTF8,
    "utf_8": UTF8,
    "ascii": UTF8,
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "cp950",
}
"""What a name is read as: programs that write euc-kr, say, write cp949 where they need to."""
_NO_TEXT = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7"}


def codec_of(name: str) -> str | None:
    """The codec that reads an encoding of this name, or None if there is none.

    >>> codec_of("EUC-KR"), codec_of("utf-8-sig"), codec_of("UTF-16"), codec_of("klingon")
    ('cp949', 'utf8', 'utf_16', None)
    """
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    try:
        codec = codecs.lookup(_SPELLINGS.get(plain, plain)).name.replace("-", "_")
        "a".encode(codec)
    except (LookupError, UnicodeError):
        return LOSSY if _SPELLINGS.get(plain) == LOSSY else None
    return None if codec in _NO_TEXT else _WIDER.get(codec, codec)


def is_wide(codec: str) -> bool:
    """Whether every character takes two or four bytes, so that lines cannot be cut as bytes."""
    return codec.startswith(("utf_16", "utf_32"))


def _known(name: str) -> str:
    codec = codec_of(name)
    if codec is None:
        raise wrong("not a known encoding", did_you_mean(name, list(KNOWN)))
    return codec


Encoding = Annotated[str, AfterValidator(_known)]
"""An encoding by any of its names; the settings hold the codec that reads it."""
