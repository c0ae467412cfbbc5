"""A plan made when somebody asks a node for one: for drivers' requests, or so many patrols.

It is made from the state that the party's newest decision was made from: a frozen value, so that
nobody who asks waits for the thread that forecasts, or changes what that works with.

It is advice to who asked, and no event: alarms, answers and outcomes are of the decisions that a
party makes at its steps, which requests that somebody tries out must neither replace nor outnumber.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from deepcity.applications.application import Application, Task, applications
from deepcity.applications.state import Request, State
from deepcity.applications.tasks.known_places import decide_where_known
from deepcity.city.errors import LiveError
from deepcity.live.agency_inputs import AgencyState
from deepcity.live.node.decision_book import KnownDecision
from deepcity.live.node.deep_source import agency_evidence
from deepcity.live.node.forecast_event import gap_from
from deepcity.live.node.node import Node, PartyKey


@dataclass(frozen=True, eq=False)
class PlanBasis:
    """What a plan of a party can be made from now.

    Attributes:
        state: of its newest decision.
        agencies: whose deep data its forecast looked at.
    """

    key: PartyKey
    application: Application
    state: State
    agencies: tuple[AgencyState, ...]

    @property
    def steps(self) -> int:
        """How many steps ahead a plan looks."""
        return int(self.state.forecast_NH.shape[1])

    def plan(self, node: Node, requests: Sequence[Request], units: int | None) -> KnownDecision:
        """A plan made now, of number 0, which no event has.

        Args:
            requests: that it must answer, within `steps`; ids are those of its actions.
            units: how many patrols there are; None: the application's own number.
        """
        state = replace(self.state, requests=tuple(requests), units=units)
        now_s, (service, party) = node.clock.now(), self.key
        records = node.source(node.parties[self.key].party.party.agency, now_s)
        return KnownDecision(
            id=0,
            service=service,
            party=party,
            made_s=now_s,
            origin_s=state.now_s,
            forecast="",
            task=self.application.task,
            decision=decide_where_known(self.application.decide, state),
            evidence=(asdict(records), *map(agency_evidence, self.agencies)),
        )


def plan_basis(node: Node, key: PartyKey) -> PlanBasis:
    """What a plan of a party can be made from now.

    Raises:
        LiveError: if its service plans nothing, or it has no forecast now.
    """
    now, who = node.parties[key], f"{key[1]} of {key[0]}"
    application = applications().get(now.party.facts.application)
    if application is None or application.task is not Task.PLAN:
        task = "decides nothing" if application is None else f"has the task {application.task}"
        right = f"see GET /api/city for services with the task {Task.PLAN}"
        raise LiveError(who, f"its service {task} and makes no plans", right)
    newest = now.party.newest
    if now.failed is not None:
        sentence = gap_from(now.failed.body["gap"]).sentence
        reason = f"it has no forecast now: {sentence}"
        raise LiveError(who, reason, "see GET /api/now, and ask again when it has one")
    if newest is None or newest.state is None:
        right = "ask again after its next step; GET /api/now shows when it forecast last"
        raise LiveError(who, "it has not forecast since this node started", right)
    return PlanBasis(key, application, newest.state, newest.agencies)
