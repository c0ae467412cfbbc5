"""A run's party with a release ledger and an audit, for tests of what leaves its house."""

from fake_results import fake_results
from release_ledgers import key_of, release

from deepcity.audit.audit_file import VERSION, save_audit
from deepcity.audit.effort import EffortName
from deepcity.audit.results import (
    AuditSubject,
    GradientAttack,
    GradientLeak,
    LearnedFrom,
    PartyAudit,
    WindowLeak,
)
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.run_folder import site_folder

RESULTS = fake_results()
SERVICE = RESULTS.services[0]
PARTY = SERVICE.parties[0]


def record(folder, *releases, party=PARTY.name):
    site = site_folder(folder, party)
    ledger = ReleaseLedger(site / "releases.jsonl", party, key_of(party), lambda: 1_800_000_000)
    ledger.record([one.model_copy(update={"party": party}) for one in releases])
    return site


def left(**changes):
    return release(**{"service": SERVICE.name, **changes})


def audit(site, r2_by_layer, update=None):
    subject = AuditSubject(
        service=SERVICE.name,
        party=PARTY.name,
        model="ab" * 32,
        level=2,
        deep_width=None,
        field="flow",
        window_steps=6,
        step_s=3600,
    )
    leaks = tuple(
        WindowLeak(
            layer=layer,
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
        for layer, r2 in r2_by_layer.items()
    )
    gradients = (
        ()
        if update is None
        else (
            GradientLeak(
                attack=GradientAttack.ANALYTIC,
                lowest="h1",
                batch=1,
                r2=update,
                r2_spread=None,
                updates=1,
            ),
        )
    )
    found = PartyAudit(
        version=VERSION,
        subject=subject,
        effort=EffortName.FAST,
        seed=0,
        windows=leaks,
        gradients=gradients,
    )
    save_audit(site, PARTY.name, found)
