"""The routes of NGSI-LD below /ngsi-ld/v1."""

from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from deepcity.live.feeds.feeds import Feeds
from deepcity.live.node.node import Node
from deepcity.web.control.accounts.accounts import User
from deepcity.web.ngsi.city_entities import CityEntities
from deepcity.web.ngsi.context import CONTEXT_NAME, context_document
from deepcity.web.ngsi.entity_routes import add_entity_routes
from deepcity.web.ngsi.problems import NgsiError, NgsiRoute
from deepcity.web.ngsi.requests import LD, check_parameters
from deepcity.web.ngsi.subscriptions.endpoints import AllowedHost
from deepcity.web.ngsi.subscriptions.notifier import Notifier
from deepcity.web.ngsi.subscriptions.subscription import SubscriptionBook
from deepcity.web.ngsi.subscriptions.subscription_routes import add_subscription_routes
from deepcity.web.ngsi.temporal.temporal_routes import add_temporal_routes
from deepcity.web.ngsi.writing.write_routes import add_write_routes

PREFIX = "/ngsi-ld/v1"
Asking = Callable[[Request], User]


def make_notifier(node: Node, state: Path, allowed: Sequence[AllowedHost] = ()) -> Notifier:
    """What notifies the subscriptions that a node's events hold.

    Args:
        state: the node's own folder.
        allowed: hosts that may be notified.

    Raises:
        StoreError: if the events cannot be read.
    """
    city = CityEntities(node)
    return Notifier(city, SubscriptionBook(node), tuple(allowed), state / "notified.json")


def ngsi_routes(notifier: Notifier, asking: Asking, feeds: Feeds) -> list[APIRouter]:
    """Routers of NGSI-LD.

    Args:
        feeds: take the rows that entities are written as.
        asking: gives the person or program that asks, or refuses.
    """
    city = notifier.city
    routes = APIRouter(
        prefix=PREFIX,
        route_class=NgsiRoute,
        dependencies=[Depends(asking), Depends(check_parameters)],
        tags=["NGSI-LD"],
    )
    add_entity_routes(routes, city)
    add_temporal_routes(routes, city)
    add_subscription_routes(routes, notifier, asking)
    add_write_routes(routes, city, feeds)
    return [_open_routes(), routes, _rest(asking)]


def _open_routes() -> APIRouter:
    """The vocabulary, which whoever reads an entity may need."""
    routes = APIRouter(prefix=PREFIX, route_class=NgsiRoute, tags=["NGSI-LD"])

    @routes.get("/jsonldContexts/{name}")
    def context(name: str) -> Response:
        """The @context of all that is offered here."""
        if name != CONTEXT_NAME:
            right = f"there is {CONTEXT_NAME}"
            raise NgsiError(f"no context {name[:200]!r}", right, "ResourceNotFound")
        return JSONResponse(context_document(), media_type=LD)

    return routes


def _rest(asking: Asking) -> APIRouter:
    """What is asked for and not offered."""
    routes = APIRouter(
        prefix=PREFIX,
        route_class=NgsiRoute,
        dependencies=[Depends(asking)],
        include_in_schema=False,
    )

    @routes.get("/{rest:path}")
    def unknown(rest: str) -> Response:
        """No such resource."""
        right = "see /openapi.json for the resources that there are"
        raise NgsiError(f"no resource {rest[:200]!r}", right, "ResourceNotFound")

    @routes.api_route("/{rest:path}", methods=["POST", "PUT", "PATCH", "DELETE"])
    def unsupported(request: Request, rest: str) -> Response:
        """Entities come from the city's records: what places measure is all that is written."""
        title = f"{request.method} {rest[:200]!r} is not supported"
        right = (
            "write what places measure by PATCH entities/ID/attrs or POST entityOperations/upsert, "
            "where the city file has a source that rows come to"
        )
        raise NgsiError(title, right, "OperationNotSupported")

    return routes
