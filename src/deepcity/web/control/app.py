"""The routes of the control room."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from deepcity import __version__
from deepcity.city.errors import DeepCityError
from deepcity.live.feeds.feeds import Feeds
from deepcity.live.node.node import Node
from deepcity.web.api.deep_data_route import PATH as DEEP_DATA
from deepcity.web.api.refusals import Refusal, misread, refuse, refuse_plainly
from deepcity.web.control.accounts.accounts import Accounts
from deepcity.web.control.acting import acting_routes
from deepcity.web.control.cases.case_desk import CaseDesk
from deepcity.web.control.cases.routes import case_routes
from deepcity.web.control.events import event_routes
from deepcity.web.control.headers import SafeHeaders
from deepcity.web.control.incidents.routes import incident_routes
from deepcity.web.control.looking import looking_routes
from deepcity.web.control.offering import offering_routes
from deepcity.web.control.oidc.settings import OidcSettings
from deepcity.web.control.planning import planning_routes
from deepcity.web.control.pushing import pushing_routes
from deepcity.web.control.receiving import receiving_route
from deepcity.web.control.sessions.session import add_sessions
from deepcity.web.ngsi.routes import make_notifier, ngsi_routes
from deepcity.web.ngsi.subscriptions.endpoints import THIS_MACHINE, AllowedHost
from deepcity.web.server.bodies import BodyLimit

MOST_BODY = 1_000_000
"""Bytes of a body; rows that are sent have a limit of their own."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def create_control_room(
    node: Node,
    folders: Iterable[Path],
    state: Path,
    accounts: Accounts | None = None,
    feeds: Feeds | None = None,
    oidc: OidcSettings | None = None,
    *,
    secure: bool = False,
    notify: Sequence[AllowedHost] = (),
    cases: CaseDesk | None = None,
) -> FastAPI:
    """The HTTP API of a node, and the page that shows it.

    Args:
        node: what is shown.
        folders: whose records the Inter-City Application Map shows, oldest first.
        state: the node's own folder.
        accounts: who may log in; None: whoever sits at this machine.
        feeds: take the rows that other systems send; None: none are taken.
        oidc: another provider of people who may log in.
        secure: the connection is encrypted.
        notify: hosts that subscriptions may be sent to; where there are no accounts, also this
            machine.
        cases: searches for people; None: this city searches for nobody.

    Raises:
        CheckpointError: if the folder cannot be written to.
        StoreError: if the events cannot be read.
    """
    alone = accounts is None and oidc is None
    feeds = feeds or Feeds(node.city_file)
    notifier = make_notifier(node, state, (*notify, *(THIS_MACHINE if alone else ())))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(notifier.run())
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    app = FastAPI(
        lifespan=lifespan,
        title=f"deepcity: {node.city_file.city.name}",
        version=__version__,
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # served below, to those who are logged in
        redirect_slashes=False,  # a program's POST would be sent elsewhere
    )
    app.add_exception_handler(DeepCityError, refuse)
    app.add_exception_handler(Refusal, refuse)
    app.add_exception_handler(RequestValidationError, misread)
    app.add_exception_handler(HTTPException, refuse_plainly)
    city = node.city_file.city.name
    askers = add_sessions(app, accounts, state / "session.key", oidc, city=city, secure=secure)
    asking = askers.person

    app.add_middleware(BodyLimit, most=MOST_BODY, own=("/rows", DEEP_DATA))
    app.add_middleware(GZipMiddleware, minimum_size=1000)  # not of streams
    app.add_middleware(SafeHeaders)
    if (
        accounts is None and oidc is None
    ):  # a page from elsewhere must not reach it under a name of its own
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))

    for router in (
        looking_routes(node, folders, asking, searches=cases is not None),
        acting_routes(node, asking),
        incident_routes(node, asking),
        case_routes(cases, ZoneInfo(node.city_file.city.clock.time_zone), asking),
        event_routes(node, asking),
        offering_routes(node, askers.program),
        planning_routes(node, asking),
        pushing_routes(feeds, askers.program),
        *ngsi_routes(notifier, askers.program, feeds),
        receiving_route(node),
    ):
        app.include_router(router)

    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(asking)])
    def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get("/health")
    def health() -> JSONResponse:
        """Whether the node has begun; 503 where it has not."""
        ready = node.started.is_set()
        reason = "" if ready else "the first step is not done yet"
        return JSONResponse({"ready": ready, "reason": reason}, 200 if ready else 503)

    pages = Path(str(resources.files("deepcity.web"))) / "static"
    if pages.is_dir():

        @app.get("/", include_in_schema=False)
        def page() -> FileResponse:
            return FileResponse(pages / "index.html", headers={"Cache-Control": "no-cache"})

        app.mount("/", StaticFiles(directory=pages))
    return app
