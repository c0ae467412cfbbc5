"""One route: a search of another city comes in as a message, camera, time and score go out.

No token is asked for: each message is signed by its city and approved by persons whose keys this
city trusts, and the handler checks that at every request.
"""

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from deepcity import __version__
from deepcity.city.errors import DeepCityError, ExchangeError
from deepcity.exchange.exchange import Handler
from deepcity.exchange.message import from_bytes, to_bytes
from deepcity.live.casework.http_exchange import BLOB, PATH
from deepcity.web.api.questions import read_body
from deepcity.web.api.refusals import Refusal, misread, refuse, refuse_plainly

MOST_BODY = 1_000_000
"""Bytes: 32 pictures of 4096 numbers take half of it, and a case some thousand."""
_AT_ONCE = 2


def create_owner_app(owner: Handler, city: str) -> FastAPI:
    """The door of one city's cameras.

    Args:
        owner: answers messages; raises `DeepCityError` to refuse one.
    """
    app = FastAPI(
        title=f"deepcity: searches answered by {city}",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_exception_handler(DeepCityError, refuse)
    app.add_exception_handler(Refusal, refuse)
    app.add_exception_handler(RequestValidationError, misread)
    app.add_exception_handler(HTTPException, refuse_plainly)
    answering = CapacityLimiter(_AT_ONCE)

    @app.post(PATH)
    async def case(request: Request) -> Response:
        """Answer one message of a case."""
        body = await read_body(request, MOST_BODY)

        peer = request.client.host if request.client else "unknown"

        def answer() -> bytes:
            try:
                message = from_bytes(body)
            except ExchangeError as error:
                right = "send what `deepcity case` sends"
                raise Refusal(422, f"{len(body)} bytes", str(error), right) from error
            return to_bytes(owner.handle(message, peer))

        return Response(await to_thread.run_sync(answer, limiter=answering), media_type=BLOB)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """That it listens."""
        return {"city": city}

    return app
