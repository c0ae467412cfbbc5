"""The idea as a picture: some of the run's parties, what each keeps, and the layers they share.

Of more than three parties, those of the lowest, the middle and the highest level stand for all.
"""

from collections.abc import Sequence

from markupsafe import Markup

from deepcity.city.level import LADDER
from deepcity.runs.results import PartyResult
from deepcity.web.report.charts.canvas import Axis, Frame, Ids, figure, label
from deepcity.web.report.charts.fit import two_lines
from deepcity.web.report.text import Text, of, same, translate

MOST = 3
_WIDTH, _HEIGHT = 440.0, 404.0
_LEFT, _BOX, _GAP = 78.0, 98.0, 20.0
_RECORDS, _STEM, _FIRST, _ROW, _HEAD, _FORECAST = 36.0, 102.0, 150.0, 32.0, 322.0, 372.0
_NODE = 26.0
_EM = 13.5  # of a party's name


def idea(parties: Sequence[PartyResult], ids: Ids, *, stem_common: bool) -> Markup:
    """The picture of the first screen.

    Args:
        parties: of the run; some of them are shown.
        stem_common: whether stems left parties, by grant.
    """
    shown = typical(parties)
    frame = Frame(_WIDTH, _HEIGHT, Axis(0, 1, 0, _WIDTH), Axis(0, 1, 0, _HEIGHT))
    body = [_band(), *_names()]
    first = _LEFT + (MOST - len(shown)) * (_BOX + _GAP) / 2
    for column, party in enumerate(shown):
        body += _column(first + column * (_BOX + _GAP), party, stem_common=stem_common)
    levels = Text(
        ", ".join(f"{party.title.en}: {party.level}" for party in shown),
        ", ".join(f"{party.title.ko}: {party.level}" for party in shown),
    )
    alt = translate("idea.alt_stem" if stem_common else "idea.alt", levels=levels)
    return figure(frame, "idea", alt, body, ids=ids)


def typical(parties: Sequence[PartyResult]) -> list[PartyResult]:
    """At most three: of the lowest, the middle and the highest level."""
    ranked = sorted(parties, key=lambda party: party.level)
    if len(ranked) <= MOST:
        return ranked
    return [ranked[0], ranked[len(ranked) // 2], ranked[-1]]


def _band() -> Markup:
    """The strip of layers that can be held in common, behind all parties."""
    strip = '<rect class="strip" x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="10"/>'
    top, bottom = _FIRST - 8, _FIRST + 5 * _ROW + 2
    return Markup(strip).format(_LEFT - 10, top, _WIDTH - _LEFT + 8, bottom - top)


def _names() -> list[Markup]:
    rows = [(_RECORDS + 24, "records"), (_STEM + 17, "stem"), (_HEAD + 17, "head")]
    rows += [(_FORECAST + 17, "forecast")]
    names = [label(0, y, translate(f"idea.{key}"), "row-name") for y, key in rows]
    hidden = [
        label(0, _FIRST + number * _ROW + 18, same(layer), "row-name")
        for number, layer in enumerate(LADDER[:5])
    ]
    return names + hidden


def _column(x: float, party: PartyResult, *, stem_common: bool) -> list[Markup]:
    middle, level = x + _BOX / 2, party.level
    names = two_lines(of(party.title), _BOX + _GAP - 12, _EM)
    parts = [
        label(middle, y, name, "party-name", "middle")
        for y, name in zip((7, 22), names, strict=True)
    ]
    parts += [_records(x), _arrow(middle, _RECORDS + 44, _STEM - 4)]
    parts += [_node(x, _STEM, common=stem_common), _arrow(middle, _STEM + _NODE, _FIRST - 3)]
    for number in range(5):
        y = _FIRST + number * _ROW
        parts.append(_node(x, y, common=number < level))
        if number:
            parts.append(_arrow(middle, y - _ROW + _NODE, y, head=False))
    parts += [_arrow(middle, _FIRST + 4 * _ROW + _NODE, _HEAD - 3)]
    parts += [_node(x, _HEAD, common=level > 5), _arrow(middle, _HEAD + _NODE, _FORECAST - 1)]
    return [*parts, _wave(x)]


def _node(x: float, y: float, *, common: bool) -> Markup:
    words = translate("idea.common" if common else "idea.private")
    box = Markup('<rect class="node {}" x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="5"/>')
    style = "common" if common else "private"
    return box.format(style, x, y, _BOX, _NODE) + label(
        x + _BOX / 2, y + 17, words, f"node-name {style}", "middle"
    )


def _records(x: float) -> Markup:
    """A drum of records, with the lines of a few rows."""
    left, right, y = x + 22, x + _BOX - 22, _RECORDS
    return Markup(
        '<path class="drum" d="M{l:g} {t:g}v30a{r:g} 7 0 0 0 {w:g} 0v-30"/>'
        '<ellipse class="drum" cx="{c:g}" cy="{t:g}" rx="{r:g}" ry="7"/>'
        '<path class="drum rows" d="M{l:g} {a:g}a{r:g} 7 0 0 0 {w:g} 0M{l:g} {b:g}'
        'a{r:g} 7 0 0 0 {w:g} 0"/>'
    ).format(
        l=left, t=y + 4, r=(right - left) / 2, w=right - left, c=(left + right) / 2,
        a=y + 14, b=y + 24,
    )  # fmt: skip


def _arrow(x: float, start: float, end: float, *, head: bool = True) -> Markup:
    tip = "m-3.5-4.5l3.5 4.5l3.5-4.5" if head else ""
    return Markup('<path class="arrow" d="M{:g} {:g}V{:g}{}"/>').format(x, start, end, tip)


def _wave(x: float) -> Markup:
    """A small forecast: a curve inside a band."""
    y = _FORECAST + 14
    return Markup(
        '<path class="wave-band" d="M{0:g} {1:g}q12-24 24-7t24 6t26-6v16q-12-4-26 6t-24-4t-24 7z"/>'
        '<path class="wave" d="M{0:g} {2:g}q12-22 24-6t24 4t26-4"/>'
    ).format(x + 12, y, y + 6)
