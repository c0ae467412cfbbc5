"""The route by which agencies' processes send a node deep data: the same as an application's."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from deepcity.live.node.clock import ClockMode
from deepcity.live.node.node import Node
from deepcity.live.replayed_rows import CLOCK
from deepcity.web.api import models
from deepcity.web.api.deep_data_route import PATH, deep_data_route
from deepcity.web.api.limits import Limits
from deepcity.web.api.refusals import Refusal
from deepcity.web.api.tokens import bearer_token


class NodeTimeAnswer(BaseModel):
    """A node's time: UTC seconds, and whether they are the machine's own."""

    mode: ClockMode
    now_s: int


def receiving_route(node: Node) -> APIRouter:
    """The route; where no access file was given, agencies are refused, and wait."""
    received = node.received
    if received is None:
        return _closed()
    routes = deep_data_route(received.access, received.intake_of, node.clock.now, Limits())

    @routes.get(CLOCK, responses={401: {"model": models.ErrorList}})
    def clock(request: Request) -> NodeTimeAnswer:
        """The node's time, by which agencies' processes go in a replay."""
        received.access.agency_of(bearer_token(request))
        return NodeTimeAnswer(mode=node.clock.mode, now_s=node.clock.now())

    return routes


def _closed() -> APIRouter:
    routes = APIRouter()

    @routes.get(CLOCK)
    @routes.post(PATH)
    def nobody() -> None:
        """Refuse deep data: nobody may send any."""
        reason = "this node was started without an access file"
        raise Refusal(401, "deep data", reason, "start it with --access FILE")

    return routes
