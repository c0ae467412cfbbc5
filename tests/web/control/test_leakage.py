"""Leakage beside evidence: of the very release that was used, and of nothing else."""

import pytest

from deepcity.audit.audit_file import VERSION, save_audit
from deepcity.audit.results import AuditSubject, LearnedFrom, PartyAudit, WindowLeak
from deepcity.forecasting.run_parties import RunParty
from deepcity.web.control import leakage
from deepcity.web.control.leakage import leakage_of

OWN = {"agency": "metro", "newest_s": 0}
DEEP = {"agency": "weather", "newest_s": 0, "version": "abc"}


def leak(layer, r2, known=0.0):
    return WindowLeak(
        layer=layer,
        stream=24,
        learned_from=LearnedFrom.PERIOD,
        known=known,
        attacker="ridge",
        r2=r2,
        r2_spread=None,
        r2_by_input=(r2,),
        identified=0.0,
        gallery=1000,
        windows=100,
    )


def audit(party, model, width, *windows):
    subject = AuditSubject(
        service="ridership",
        party=party,
        model=model,
        level=3,
        deep_width=width,
        field="rain",
        window_steps=24,
        step_s=3600,
    )
    return PartyAudit(version=VERSION, subject=subject, effort="fast", seed=0, windows=windows)


@pytest.fixture
def party(tmp_path):
    leakage._looked_up.cache_clear()
    return RunParty(tmp_path, "ridership", "seoul/metro", None, "metro")


def keep(folder, site, found):
    path = folder / "sites" / site
    path.mkdir(parents=True)
    save_audit(path, site, found)


def test_without_an_audit_nothing_is_claimed(party):
    assert leakage_of(party, OWN) is None
    assert leakage_of(party, DEEP) is None


def test_the_worst_attack_without_known_pairs_counts(party, tmp_path):
    deep = leak("bottleneck", 0.3), leak("bottleneck", 0.6), leak("bottleneck", 0.9, known=0.5)
    keep(tmp_path, "weather", audit("weather", "abc", 8, *deep, leak("h1", 0.95)))
    own = leak("forecast", 0.4), leak("h5", 0.8)
    keep(tmp_path, "metro", audit("seoul/metro", "its-digest", None, *own))
    assert leakage_of(party, DEEP) == 0.6
    assert leakage_of(party, OWN) == 0.4
    assert leakage_of(party, {**DEEP, "version": "another"}) is None
    assert leakage_of(party, {**DEEP, "agency": "power"}) is None


def test_an_attack_that_found_nothing_leaks_nothing(party, tmp_path):
    keep(tmp_path, "weather", audit("weather", "abc", 8, leak("bottleneck", -0.2)))
    assert leakage_of(party, DEEP) == 0.0
