"""The route for plans that somebody asks for."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from deepcity.live.node.decision_book import DecisionStatus
from deepcity.live.node.known import party_of
from deepcity.live.node.node import Node
from deepcity.live.node.plans import plan_basis
from deepcity.web.api.questions import REQUESTS, UNITS, plan_requests
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.answers import decision_json

Asking = Callable[[Request], User]
Name = Annotated[str, Query(max_length=200)]


def planning_routes(node: Node, asking: Asking) -> APIRouter:
    """The route for plans, for everyone who is logged in.

    Args:
        asking: gives the person who asks, or refuses.
    """
    routes = APIRouter(prefix="/api", dependencies=[Depends(asking)])

    @routes.get("/plan")
    def plan(
        service: Name,
        party: Name,
        asked: Annotated[list[str] | None, REQUESTS] = None,
        units: Annotated[int | None, UNITS] = None,
    ) -> dict[str, Any]:
        """A plan for these requests or so many patrols, made now from the newest forecast.

        It is advice and is not kept: its `id` is null, its `status` is `advice`, and `steps` is
        how many steps ahead a request may lie.
        """
        basis = plan_basis(node, party_of(node, service, party))
        made = basis.plan(node, plan_requests(asked or [], basis.steps), units)
        found = decision_json(node, made, made.made_s)
        advice = {"id": None, "status": DecisionStatus.ADVICE.value, "outcome": None}
        return {**found, **advice, "steps": basis.steps}

    return routes
