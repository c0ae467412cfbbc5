"""The sentences of an audit, for the report and the terminal."""

from deepcity.audit.results import FORECAST, LearnedFrom, PartyAudit, WindowLeak
from deepcity.web.report.figures import percent, stretch
from deepcity.web.report.leakage.table import best, hidden, layer_name, trained_on
from deepcity.web.report.text import Text, joined, of, same, translate


def whose(audit: PartyAudit) -> Text:
    """The party, by its title where it has one."""
    subject = audit.subject
    return same(subject.party) if subject.title is None else of(subject.title)


def facts(audit: PartyAudit) -> Text:
    """What was audited, and how thoroughly."""
    subject = audit.subject
    key = "network" if subject.deep_width is None else "encoder"
    return translate(
        f"leakage.facts_{key}",
        field=subject.field,
        level=subject.level,
        width=subject.deep_width or 0,
        steps=subject.window_steps,
        step=stretch(subject.step_s / 60),
        effort=translate(f"leakage.effort_{audit.effort}"),
    )


def findings(audit: PartyAudit) -> list[Text]:
    """What the deepest layer reveals, beside the forecast alone, and how that was measured."""
    single = _deepest(audit, 1)
    streams = {leak.stream for leak in audit.windows} - {1}
    stream = _deepest(audit, max(streams)) if streams else None
    if single is None or stream is None:
        return []
    found = [
        translate(
            "leakage.deepest",
            layer=layer_name(single.layer),
            one=_share(single),
            n=stream.stream,
            many=_share(stream),
        )
    ]
    floor_one, floor_many = (best(audit, FORECAST, leak.stream, 0.0) for leak in (single, stream))
    if floor_one is not None and floor_many is not None:
        found.append(translate("leakage.floor", one=_share(floor_one), many=_share(floor_many)))
    half = best(audit, single.layer, 1, max(leak.known for leak in audit.windows))
    if half is not None and half.known:
        found.append(translate("leakage.newest_known", r2=f"{max(half.r2_by_input[-1], 0):.2f}"))
    return [*found, translate("leakage.columns"), _gallery(stream), *how(audit)]


def how(audit: PartyAudit) -> list[Text]:
    """Where decoders were trained, and what the figures are."""
    places = joined([translate(f"leakage.from_{one}") for one in trained_on(audit)])
    found = [translate("leakage.trained", places=places)]
    if LearnedFrom.PLACE not in trained_on(audit):
        found.append(translate("leakage.one_place"))
    return [*found, translate("leakage.lower_bound")]


def _gallery(leak: WindowLeak) -> Text:
    chance = percent(1 / max(1, leak.gallery))
    return translate("leakage.gallery", gallery=f"{leak.gallery:,}", chance=chance)


def _deepest(audit: PartyAudit, stream: int) -> WindowLeak | None:
    """The attack on the last layer before the forecast."""
    layers = [leak.layer for leak in hidden(audit.windows)]
    return best(audit, layers[-1], stream, 0.0) if layers else None


def _share(leak: WindowLeak) -> str:
    return percent(max(leak.r2, 0.0), 0)
