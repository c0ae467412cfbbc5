"""The steps of an audit, each kept as soon as it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from deepcity.audit.effort import Effort
from deepcity.audit.gradients.audit_updates import (
    LOWEST,
    UpdateVictim,
    audit_ridge_part,
    audit_updates,
)
from deepcity.audit.membership.audit_membership import MembershipVictim, audit_membership
from deepcity.audit.results import GradientLeak, MembershipUnit, PartyAudit
from deepcity.audit.window.audit_layer import audit_layer
from deepcity.audit.window.victim import Victim

Update = Callable[[PartyAudit], PartyAudit]


@dataclass(frozen=True)
class AuditStep:
    """A part of an audit.

    Attributes:
        name: unique in an audit.
        run: from the audit before it to the one with its results.
    """

    name: str
    run: Update


def window_steps(victim: Victim, effort: Effort, seed: int) -> list[AuditStep]:
    """One for each layer whose releases are attacked."""
    return [
        AuditStep(f"window/{layer}", _window_step(victim, layer, effort, seed))
        for layer in victim.layers
    ]


def update_steps(victim: UpdateVictim, effort: Effort, seed: int) -> list[AuditStep]:
    """One for each lowest shared layer whose updates are attacked, and one for the ridge part."""

    def step(name: str, found: Callable[[], list[GradientLeak]]) -> AuditStep:
        return AuditStep(
            f"updates/{name}",
            lambda audit: audit.model_copy(update={"gradients": (*audit.gradients, *found())}),
        )

    layers = [step(one, partial(audit_updates, victim, one, effort, seed)) for one in LOWEST]
    return [*layers, step("ridge", partial(audit_ridge_part, victim, effort, seed))]


def membership_steps(victim: MembershipVictim, effort: Effort, seed: int) -> list[AuditStep]:
    """One for each kind of unit whose membership is asked about."""

    def step(kind: MembershipUnit) -> AuditStep:
        def run(audit: PartyAudit) -> PartyAudit:
            found = audit_membership(victim, kind, effort, seed)
            return audit.model_copy(update={"membership": (*audit.membership, *found)})

        return AuditStep(f"membership/{kind}", run)

    return [step(kind) for kind in MembershipUnit]


def run_steps(
    audit: PartyAudit,
    steps: Sequence[AuditStep],
    save: Callable[[PartyAudit], None],
    advance: Callable[[int], None],
) -> PartyAudit:
    """Run the steps that an audit lacks.

    Args:
        save: called after each step that was run.
        advance: called with the number of steps done.
    """
    for number, step in enumerate(steps, 1):
        if step.name not in audit.done:
            audit = step.run(audit)
            audit = audit.model_copy(update={"done": (*audit.done, step.name)})
            save(audit)
        advance(number)
    return audit


def _window_step(victim: Victim, layer: str, effort: Effort, seed: int) -> Update:
    def run(audit: PartyAudit) -> PartyAudit:
        found = audit_layer(victim, layer, effort, seed)
        return audit.model_copy(update={"windows": (*audit.windows, *found)})

    return run
