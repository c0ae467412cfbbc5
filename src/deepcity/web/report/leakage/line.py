"""What each layer of one party leaks, in one line, to stand beside its level."""

from collections.abc import Sequence

from deepcity.audit.layer_leakage import STREAM, leakage_in
from deepcity.audit.results import FORECAST, PartyAudit
from deepcity.city.level import LADDER, STEM
from deepcity.web.report.text import Text, same, translate


def leak_line(audits: Sequence[PartyAudit], service: str, party: str) -> Text | None:
    """R² of the best attack on each layer, the forecast alone last; else how to measure it.

    None where nothing at all was audited, which is said once for all parties.
    """
    if not audits:
        return None
    asked = (service, party, None)
    own = [
        one
        for one in audits
        if (one.subject.service, one.subject.party, one.subject.deep_width) == asked
    ]
    found = leakage_in(own) if own else {}
    stream = any(one.stream_r2 is not None for one in found.values())
    known = {
        layer: r2
        for layer, one in found.items()
        if (r2 := one.stream_r2 if stream else one.activations_r2) is not None
    }
    shown = [same(f"{one} {_r2(known[one])}") for one in (STEM, *LADDER) if one in known]
    if FORECAST in known:
        shown.append(translate("leakage.beside_forecast", r2=_r2(known[FORECAST])))
    if not shown:
        return translate("leakage.beside_none", party=party)
    layers = Text(", ".join(one.en for one in shown), ", ".join(one.ko for one in shown))
    return translate("leakage.beside" if stream else "leakage.beside_one", n=STREAM, layers=layers)


def _r2(value: float) -> str:
    return f"{max(0.0, value):.2f}"
