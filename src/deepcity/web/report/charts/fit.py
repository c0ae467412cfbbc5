"""Words cut to the room there is: long names must not run into what stands beside them."""

import unicodedata

from deepcity.web.report.text import Text

_EM, _NARROW = 12.5, 0.58  # the charts' letters; Latin ones take about so much of it


def wide(words: str, em: float = _EM) -> float:
    """About how wide words are, in SVG units.

    >>> wide("ab") < wide("가나")
    True
    """
    full = sum(unicodedata.east_asian_width(letter) in "WF" for letter in words)
    return em * (full + _NARROW * (len(words) - full))


def fit(words: Text, room: float, em: float = _EM) -> Text:
    """Words that fit into the room, with … where something was cut.

    >>> from deepcity.web.report.text import same
    >>> fit(same("Weather office"), 60).en
    'Weather…'
    """
    return Text(_cut(words.en, room, em), _cut(words.ko, room, em))


def two_lines(words: Text, room: float, em: float = _EM) -> tuple[Text, Text]:
    """Words on two lines of that room; those that need one line stand on the second.

    >>> from deepcity.web.report.text import same
    >>> [line.en for line in two_lines(same("Countryside homes, first district"), 115)]
    ['Countryside', 'homes, first d…']
    """
    (above_en, below_en), (above_ko, below_ko) = (
        _broken(one, room, em) for one in (words.en, words.ko)
    )
    return Text(above_en, above_ko), Text(below_en, below_ko)


def _broken(words: str, room: float, em: float) -> tuple[str, str]:
    above, below = "", words
    while wide(below, em) > room and " " in below:
        word, rest = below.split(" ", 1)
        if wide(f"{above} {word}".strip(), em) > room:
            break
        above, below = f"{above} {word}".strip(), rest
    return above, _cut(below, room, em)


def _cut(words: str, room: float, em: float) -> str:
    if wide(words, em) <= room:
        return words
    while words and wide(f"{words}…", em) > room:
        words = words[:-1]
    return f"{words.rstrip()}…"
