"""Bodies of all requests together within a limit, around any ASGI app."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REASON = "too many bodies at once; send it again"


class BodiesLimit:
    """Counts the bytes of bodies from when they are read until their request is answered.

    Beyond the limit a request is answered with 503, to be sent again.

    Args:
        app: what answers.
        most: bytes.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        own = 0

        async def counted() -> Message:
            nonlocal own
            message = await receive()
            size = len(message.get("body", b""))
            if size and self.held + size > self.most:
                raise HTTPException(503, REASON, {"Retry-After": "1"})
            own, self.held = own + size, self.held + size
            return message

        try:
            await self.app(scope, counted, send)
        finally:
            self.held -= own


class BodyLimit:
    """Refuses the body of a request that is too long (413), before it is parsed.

    One whose length is stated is refused before it comes, and need not be waited for.

    Args:
        app: what answers.
        most: bytes.
        own: ends of paths whose routes have a limit of their own.
    """

    def __init__(self, app: ASGIApp, most: int, own: tuple[str, ...] = ()) -> None:
        self.app, self.most, self.own = app, most, own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its body."""
        if scope["type"] != "http" or scope["path"].endswith(self.own):
            await self.app(scope, receive, send)
            return
        size, stated = 0, _stated(scope)

        async def counted() -> Message:
            nonlocal size
            message = {} if stated > self.most else await receive()
            size += len(message.get("body", b""))
            if max(size, stated) > self.most:
                raise HTTPException(413, f"a body over {self.most:,} bytes")
            return message

        await self.app(scope, counted, send)


def _stated(scope: Scope) -> int:
    """The length that a request's headers state; 0 if they state none."""
    stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(stated) if stated.isdigit() else 0
