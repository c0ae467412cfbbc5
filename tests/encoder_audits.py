"""An audit of the weather office's encoder of `little_vertical`, with a leakage of choice."""

from deepcity.audit.audit_file import VERSION, save_audit
from deepcity.audit.effort import EffortName
from deepcity.audit.results import AuditSubject, LearnedFrom, PartyAudit, WindowLeak


def save_encoder_audit(site, r2, model="ab" * 32, forecast=None):
    """Write it into the agency's folder: R² of a stream of its deep data, and of the forecast."""
    subject = AuditSubject(
        service="water",
        party="east/weather",
        model=model,
        level=3,
        deep_width=4,
        field="flow",
        window_steps=4,
        step_s=3600,
    )
    leak = WindowLeak(
        layer="bottleneck",
        stream=24,
        learned_from=LearnedFrom.PERIOD,
        known=0.0,
        attacker="ridge",
        r2=r2,
        r2_spread=None,
        r2_by_input=(),
        identified=0.0,
        gallery=1,
        windows=1,
    )
    leaks = [leak]
    if forecast is not None:
        leaks.append(leak.model_copy(update={"layer": "forecast", "r2": forecast}))
    found = PartyAudit(
        version=VERSION, subject=subject, effort=EffortName.FAST, seed=0, windows=tuple(leaks)
    )
    site.mkdir(parents=True, exist_ok=True)
    save_audit(site, "east/weather", found)
