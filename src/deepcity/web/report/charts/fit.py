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


def _cut(words: str, room: float, em: float) -> str:
    if wide(words, em) <= room:
        return words
    while words and wide(f"{words}…", em) > room:
        words = words[:-1]
    return f"{words.rstrip()}…"
