"""Korean particles by the sound that a name or number ends with.

Templates have both forms, as people write them where the word before is not known: `{party}이(가)`,
`{unit}을(를)`, `{value}(으)로`. Once names stand there, the one that fits is kept. The page has the
same rules (`frontend/src/words/particles.ts`). A word in brackets does not count: the particle goes
by what stands before it (National Institute of Korean Language).
"""

import re

_PAIRS = {
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "은(는)": ("은", "는"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
    "(이)라": ("이라", "라"),
    "(이)나": ("이나", "나"),
    "(이)며": ("이며", "며"),
    "(이)고": ("이고", "고"),
}
_BOTH = re.compile("|".join(map(re.escape, _PAIRS)))
_BRACKETED = re.compile(r"\s*\([^()]*\)$|\s*\[[^\[\]]*\]$")
_SILENT = " \u00a0’”»」』\"'`)]}>.,:;!?…"
_LOOKED_AT = 300  # signs before the particle: no word is longer
_FIRST, _LAST, _FINALS, _RIEUL = 0xAC00, 0xD7A3, 28, 8
_DIGITS = {"0": "ㅇ", "1": "ㄹ", "3": "ㅁ", "6": "ㄱ", "7": "ㄹ", "8": "ㄹ", "²": "ㅂ", "³": "ㅂ"}
"""Of 영, 일, 삼, 육, 칠, 팔, 제곱, 세제곱; tens, hundreds and thousands end in a consonant too."""
_LETTERS = {"L": "ㄹ", "R": "ㄹ", "M": "ㅁ", "N": "ㄴ"}
"""Of 엘, 알, 엠, 엔, where a letter is read by its name."""
_WORDS = {"l": "ㄹ", "m": "ㅁ", "n": "ㄴ", "ng": "ㅇ"}
"""Of words in Latin letters: the ends that are heard as a final consonant."""


def with_particles(text: str) -> str:
    """A text with the particle that fits in place of each pair.

    >>> with_particles("기상청이(가) h3을(를) 로봇(2대)(으)로")
    '기상청이 h3을 로봇(2대)으로'
    >>> with_particles("metro과(와) 12 L/s은(는), 서울(으)로")
    'metro와 12 L/s는, 서울로'
    """
    found, at = "", 0
    for pair in _BOTH.finditer(text):
        found += text[at : pair.start()]
        after_consonant, after_vowel = _PAIRS[pair.group()]
        final = final_consonant(found)
        vowel = not final or (final == "ㄹ" and pair.group() == "(으)로")
        found += after_vowel if vowel else after_consonant
        at = pair.end()
    return found + text[at:]


def final_consonant(text: str) -> str:
    """What a text ends with as it is read: ㄹ, another final consonant, or nothing.

    >>> [final_consonant(one) for one in ("강남", "서울", "수도", "3.5%")]
    ['ㅇ', 'ㄹ', '', '']
    """
    word = _BRACKETED.sub("", text[-_LOOKED_AT:].rstrip()).rstrip(_SILENT)
    last = word[-1:]
    if last and _FIRST <= ord(last) <= _LAST:
        final = (ord(last) - _FIRST) % _FINALS
        return "ㄹ" if final == _RIEUL else "ㅇ" if final else ""
    if last in _DIGITS:
        return _DIGITS[last]
    latin = re.search(r"[A-Za-z]+$", word)
    if latin is None:
        return ""
    letters = latin.group()
    if letters.isupper() or len(letters) == 1:
        return _LETTERS.get(letters[-1].upper(), "")
    return _WORDS.get(letters[-2:].lower()) or _WORDS.get(letters[-1].lower(), "")
