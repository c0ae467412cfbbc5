"""An audit's window attacks as a table: a row a layer, the forecast alone last as the floor."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deepcity.audit.results import FORECAST, GradientLeak, LearnedFrom, PartyAudit, WindowLeak
from deepcity.web.report.figures import MISSING, percent
from deepcity.web.report.text import Text, same, translate


@dataclass(frozen=True)
class LeakRow:
    """One layer.

    Attributes:
        cells: as `LeakTable.heads` names them.
        floor: whether it is the forecast alone.
    """

    layer: Text
    cells: tuple[str, ...]
    floor: bool


@dataclass(frozen=True)
class LeakTable:
    """R² by layer, stream and share of pairs known, and the share of windows found."""

    heads: tuple[Text, ...]
    rows: tuple[LeakRow, ...]


def leak_table(audit: PartyAudit) -> LeakTable:
    """The table of an audit; of attackers trained in several places, the best one counts."""
    layers = list(dict.fromkeys(leak.layer for leak in audit.windows))
    streams = sorted({leak.stream for leak in audit.windows})
    shares = sorted({leak.known for leak in audit.windows})
    heads = [_head(stream, known) for known in shares for stream in streams]
    heads += [_identified_head(stream) for stream in streams]
    rows = [
        LeakRow(
            layer_name(layer),
            (
                *(r2_text(best(audit, layer, s, k)) for k in shares for s in streams),
                *(_identified(best(audit, layer, stream, 0.0)) for stream in streams),
            ),
            layer == FORECAST,
        )
        for layer in layers
    ]
    return LeakTable(tuple(heads), tuple(rows))


def best(audit: PartyAudit, layer: str, stream: int, known: float) -> WindowLeak | None:
    """The attack that rebuilt most, wherever its decoder was trained; None: not measured."""
    found = [
        leak
        for leak in audit.windows
        if (leak.layer, leak.stream, leak.known) == (layer, stream, known)
    ]
    return max(found, key=lambda leak: leak.r2, default=None)


def layer_name(layer: str) -> Text:
    """What a layer is called."""
    return (
        translate(f"leakage.layer_{layer}")
        if layer in {FORECAST, "bottleneck", "stem"}
        else same(layer)
    )


def r2_text(leak: WindowLeak | GradientLeak | None) -> str:
    """R² with its spread; 0 where an attack is worse than a constant.

    >>> r2_text(None)
    '–'
    """
    if leak is None:
        return MISSING
    spread = "" if leak.r2_spread is None else f" ±{leak.r2_spread:.2f}"
    return f"{max(leak.r2, 0.0):.2f}{spread}"


def trained_on(audit: PartyAudit) -> Sequence[LearnedFrom]:
    """Where decoders were trained, each once."""
    return list(dict.fromkeys(leak.learned_from for leak in audit.windows))


def hidden(leaks: Iterable[WindowLeak]) -> list[WindowLeak]:
    """Those of layers, without the forecast's."""
    return [leak for leak in leaks if leak.layer != FORECAST]


def _head(stream: int, known: float) -> Text:
    key = "leakage.head_one" if stream == 1 else "leakage.head_stream"
    head = translate(key, n=stream)
    return head + translate("leakage.head_known", share=percent(known, 0)) if known else head


def _identified_head(stream: int) -> Text:
    key = "leakage.head_found_one" if stream == 1 else "leakage.head_found_stream"
    return translate(key, n=stream)


def _identified(leak: WindowLeak | None) -> str:
    return MISSING if leak is None else percent(leak.identified)
