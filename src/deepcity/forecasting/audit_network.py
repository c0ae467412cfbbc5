"""The audit of a party's network, at its own site, beside its own records."""

import hashlib
from dataclasses import dataclass

from deepcity.audit.audit_file import VERSION
from deepcity.audit.effort import EffortName, effort_of
from deepcity.audit.gradients.audit_updates import UpdateVictim
from deepcity.audit.results import AuditSubject, PartyAudit
from deepcity.audit.steps import AuditStep, membership_steps, update_steps, window_steps
from deepcity.audit.window.checks import check_victim
from deepcity.audit.window.network_releases import network_victim
from deepcity.city.errors import ExpertError
from deepcity.data.panel import measured_end
from deepcity.data.windows import Span
from deepcity.forecasting.audit_shadows import membership_victim
from deepcity.forecasting.replay import OpenBundle
from deepcity.forecasting.run_parties import RunParty
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.networks.network import Network
from deepcity.learning.networks.reuse import export_layers
from deepcity.learning.training.learner import EVERY_LAYER
from deepcity.store.blob import pack


@dataclass(frozen=True, eq=False)
class AuditPlan:
    """An audit that has not begun, and its steps."""

    audit: PartyAudit
    steps: list[AuditStep]


def plan_network_audit(party: RunParty, effort: EffortName, seed: int) -> AuditPlan:
    """The audit of the network that a party shares deepest; one that learned alone, if there is
    no other.

    Raises:
        CheckpointError: if the party has no forecaster.
        DataError: if its records are not there, or too few.
        ExpertError: if its forecaster has no network.
    """
    view = party.attach(party.open(), party.panel()).open_at()
    level, expert = deepest_network(view)
    network, inputs = expert.learner.network, expert.inputs or view.data.inputs
    aside = Span(view.data.aside.start, measured_end(inputs.values_TN))
    victim = network_victim(network, inputs, view.data.train, aside, effort_of(effort), seed)
    check_victim(party.party, victim)
    identity, title = view.bundle.identity, None
    if party.of_map is not None:
        title = party.of_map[0].title_of(party.of_map[1])
    subject = AuditSubject(
        service=party.service,
        party=party.party,
        model=model_digest(view, network),
        level=level,
        deep_width=None,
        field=identity.field,
        window_steps=identity.window.history,
        step_s=identity.step_s,
        title=title,
    )
    audit = PartyAudit(version=VERSION, subject=subject, effort=effort, seed=seed)
    mae_weight = expert.learner.settings.mae_weight
    updates = UpdateVictim.of(network, inputs, view.data.train, aside, mae_weight)
    sizes = effort_of(effort)
    members = membership_victim(view.data, identity.field)
    return AuditPlan(
        audit,
        [
            *window_steps(victim, sizes, seed),
            *update_steps(updates, sizes, seed),
            *membership_steps(members, sizes, seed),
        ],
    )


def deepest_network(view: OpenBundle) -> tuple[int, NetworkExpert]:
    """The network that is shared deepest, and its reuse level.

    Raises:
        ExpertError: if there is none.
    """
    found = [(level, expert) for level, expert in view.experts if isinstance(expert, NetworkExpert)]
    if not found:
        party = view.bundle.identity.party
        msg = f"the forecaster of {party} has no network; name `network` among its experts"
        raise ExpertError(msg)
    return max(found, key=lambda one: one[0])


def model_digest(view: OpenBundle, network: Network) -> str:
    """What an audit names the model by."""
    identity, times = view.bundle.identity, view.bundle.times
    header = {
        "identity": identity.model_dump(mode="json"),
        "learned": [times.train_from, times.train_to, times.aside_to],
    }
    return hashlib.sha256(pack(export_layers(network, EVERY_LAYER), header)).hexdigest()
