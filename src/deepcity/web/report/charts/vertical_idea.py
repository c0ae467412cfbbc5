"""The idea of vertical training as a picture: who keeps which layers, and what crosses the line."""

from markupsafe import Markup

from deepcity.city.level import HIDDEN_LAYERS
from deepcity.vertical.results import VerticalPartyResult, VerticalServiceResult
from deepcity.web.report.charts.canvas import Axis, Frame, Ids, figure, label
from deepcity.web.report.charts.fit import fit
from deepcity.web.report.text import Text, of, same, translate

_WIDTH, _ROW, _BOX, _TOP = 440.0, 64.0, 24.0, 8.0
_MOST = 6  # agencies drawn; more are counted below
_RECORDS, _STEM, _HIDDEN, _ACTIVATIONS = (0.0, 58.0), (70.0, 46.0), (128.0, 56.0), (196.0, 112.0)
_LINE, _FUSED = 320.0, (338.0, 96.0)


def vertical_idea(service: VerticalServiceResult, party: VerticalPartyResult, ids: Ids) -> Markup:
    """The picture of one party and the agencies that send it activations."""
    shown = party.facts[:_MOST]
    rows = 1 + len(shown)
    fused = _fused_layers(service.level)
    height = max(rows * _ROW, len(fused) * (_BOX + 12)) + _TOP
    more = len(party.facts) - len(shown)
    # the party's own rows stay on its own side, unless the coordinator is label-free
    body = [_line(0 if service.labels_stay else _TOP + _ROW - 4, height), *_fused(fused, height)]
    own = translate("vertical.width", n=service.own_width) if service.labels_stay else None
    body += _row(_TOP, of(party.title), service.level, own)
    for number, agency in enumerate(shown, 1):
        width_text = translate("vertical.width", n=agency.width)
        body += _row(_TOP + number * _ROW, of(agency.title), service.level, width_text)
    if more:
        body.append(label(0, height + 14, translate("vertical.more", n=more), "row-name"))
    whole = height + (22 if more else 0)
    frame = Frame(_WIDTH, whole, Axis(0, 1, 0, _WIDTH), Axis(0, 1, 0, whole))
    return figure(frame, "idea", translate("vertical.idea_alt"), body, ids=ids)


def _fused_layers(level: int) -> list[Text]:
    """What runs where the forecast is made: the hidden layers above the cut, head, forecast."""
    above = HIDDEN_LAYERS[level:]
    names = [same(above[0] if len(above) == 1 else f"{above[0]}–{above[-1]}")] if above else []
    return [*names, translate("idea.head"), translate("idea.forecast")]


def _row(y: float, name: Text, level: int, width_text: Text | None) -> list[Markup]:
    middle = y + 20 + _BOX / 2
    hidden = same("h1" if level == 1 else f"h1–h{level}")
    parts = [label(0, y + 12, fit(name, _LINE - 10, 13.5), "party-name")]
    parts += [_node(_RECORDS, y, translate("vertical.records"), "private")]
    parts += [
        _node(_STEM, y, translate("idea.stem"), "private"),
        _node(_HIDDEN, y, hidden, "private"),
    ]
    parts += [_arrow(_RECORDS, _STEM, middle), _arrow(_STEM, _HIDDEN, middle)]
    last = _HIDDEN
    if width_text is not None:
        parts += [
            _arrow(_HIDDEN, _ACTIVATIONS, middle),
            _node(_ACTIVATIONS, y, width_text, "common"),
        ]
        last = _ACTIVATIONS
    return [*parts, _arrow(last, _FUSED, middle)]


def _node(place: tuple[float, float], y: float, words: Text, style: str) -> Markup:
    x, width = place
    box = Markup('<rect class="node {}" x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="5"/>')
    shown = fit(words, width - 6, 11.5)
    return box.format(style, x, y + 20, width, _BOX) + label(
        x + width / 2, y + 36, shown, f"node-name {style}", "middle"
    )


def _arrow(start: tuple[float, float], end: tuple[float, float], y: float) -> Markup:
    line = Markup('<path class="arrow" d="M{:g} {:g}H{:g}m-4.5-3.5l4.5 3.5l-4.5 3.5"/>')
    return line.format(sum(start), y, end[0] - 2)


def _line(top: float, height: float) -> Markup:
    """What crosses it has left its agency."""
    line = Markup('<line class="border" x1="{0:g}" x2="{0:g}" y1="{1:g}" y2="{2:g}"/>')
    return line.format(_LINE, min(top, height), height)


def _fused(layers: list[Text], height: float) -> list[Markup]:
    """The column in which activations are fused."""
    x, width = _FUSED
    strip = Markup('<rect class="strip" x="{:g}" y="4" width="{:g}" height="{:g}" rx="10"/>')
    parts = [strip.format(x, width, height - 4)]
    gap = 12.0
    y = (height + 4 - len(layers) * (_BOX + gap) + gap) / 2
    for number, words in enumerate(layers):
        style = "common" if number == len(layers) - 1 else "private"
        parts.append(_node((x + 10, width - 20), y - 20 + number * (_BOX + gap), words, style))
    return parts
