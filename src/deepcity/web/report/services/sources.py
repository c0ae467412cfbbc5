"""What a decision was made from, in words: how much each source of forecasts counted, and why."""

from collections.abc import Mapping

from deepcity.applications.decision import Decision, Reason
from deepcity.applications.tasks.peak_sources import NEWEST
from deepcity.applications.tasks.pool import WEIGHED
from deepcity.web.report.charts.curves import method_name
from deepcity.web.report.figures import number, percent
from deepcity.web.report.text import Text, joined, translate

_SHARE = "share-"
_OWN = ("learned", "now")


def source_words(decision: Decision) -> list[Text]:
    """A sentence for everything that was weighed."""
    return [_words(one) for one in decision.reasons if one.code.endswith(WEIGHED)]


def _words(reason: Reason) -> Text:
    numbers = reason.numbers
    what = reason.code.removesuffix(WEIGHED).rstrip("-") or "probability"
    return translate(
        "decision.weighed",
        what=translate(f"decision.weighed_{what}"),
        sources=joined(_sources(numbers)),
        days=number(numbers["days"], 0),
        error=number(numbers["error"], 3),
        learned=number(numbers["learned-error"], 3),
    )


def _sources(numbers: Mapping[str, float]) -> list[Text]:
    """The largest first."""
    shares = {name: share for name, share in numbers.items() if name.startswith(_SHARE)}
    return [
        translate("decision.weighed_by", source=_name(name), p=percent(shares[name], 0))
        for name in sorted(shares, key=lambda one: -shares[one])
    ]


def _name(key: str) -> Text:
    source = key.removeprefix(_SHARE)
    bare = source.removesuffix(NEWEST)
    own = bare in _OWN
    found = translate(f"decision.source_{bare}") if own else method_name(bare.replace("-", "_"))
    return translate("decision.source_newest", source=found) if bare != source else found
