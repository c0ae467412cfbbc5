"""Serve any of our apps by uvicorn, within limits.

serve_app(app, host="127.0.0.1", port=8080)
"""

import asyncio
import errno
import resource
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.web.server.allocator import give_back_often, share_arenas
from deepcity.web.server.bodies import BodiesLimit
from deepcity.web.server.connections import http_protocol
from deepcity.web.server.limits import ServerLimits
from deepcity.web.server.log_rate import log_settings

_BACKLOG = 1024  # connections that may wait to be taken; what it drops comes again seconds later
_MOST_FILES = 65_536
_HANDSHAKE_S = 10.0
_SHUTDOWN_S = 10
_NO_ADDRESS = {errno.EADDRNOTAVAIL, socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_FAMILY}


def _nothing() -> None:
    pass


class Server(uvicorn.Server):
    """Calls `ready` when the port is open, and `over` when it is closed."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], over: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready, self._over = ready, over

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port.

        Raises:
            ConfigError: if it was taken while all else began.
        """
        loop = asyncio.get_running_loop()
        # until it is done, a handshake is no connection to uvicorn
        how = {"ssl_handshake_timeout": _HANDSHAKE_S} if self.config.is_ssl else {}
        begin = partial(self._listen, partial(loop.create_server, **how))
        setattr(loop, "create_server", begin)  # noqa: B010
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def _listen(
        self, begin: Callable[..., Awaitable[object]], *what: object, **how: object
    ) -> object:
        """Listen by the loop's own way; uvicorn would log the error alone, and exit."""
        try:
            return await begin(*what, **how)
        except OSError as error:
            await self.lifespan.shutdown()
            raise _refused(error, self.config.host, self.config.port) from error

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close it."""
        await super().shutdown(sockets)
        self._over()


def make_server(
    app: ASGIApp,
    host: str,
    port: int,
    limits: ServerLimits = ServerLimits(),  # noqa: B008 - it is frozen
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    ready: Callable[[], None] = _nothing,
    over: Callable[[], None] = _nothing,
) -> Server:
    """A server that can be run here or in a thread of its own.

    Args:
        limits: over all connections.
        certificate, key: files for TLS; None: without.
        ready: called when the port is open.
        over: called when it is closed.
    """
    _allow_files()
    share_arenas()
    give_back_often()
    how: dict[str, Any] = {"ssl_certfile": certificate, "ssl_keyfile": key}
    config = uvicorn.Config(
        BodiesLimit(app, limits.max_bodies_bytes),
        host,
        port,
        http=http_protocol(limits),
        ws="none",  # its connections would be without limits
        loop="asyncio",
        backlog=_BACKLOG,
        timeout_keep_alive=max(1, round(limits.keep_alive_s)),
        timeout_graceful_shutdown=_SHUTDOWN_S,
        access_log=False,
        log_level="warning",
        log_config=log_settings(limits.logs_per_minute),
        **how,
    )
    return Server(config, ready, over)


def check_port(host: str, port: int, named: Problem | None = None) -> None:
    """See, before long work, that an address is free.

    Args:
        named: what names the port, and the next step if it is taken; None: the command line.

    Raises:
        ConfigError: if it cannot be listened on.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
    except OSError as error:
        raise _refused(error, host, port, named) from error


def _refused(error: OSError, host: str, port: int, named: Problem | None = None) -> ConfigError:
    """Why an address cannot be listened on."""
    taken = error.errno == errno.EADDRINUSE  # asyncio says more than that, in words of its own
    reason = "another program listens there" if taken else error.strerror or str(error)
    if error.errno in _NO_ADDRESS:
        right = "give an address of this machine, such as 127.0.0.1 or 0.0.0.0"
        return ConfigError([Problem("command line", "--host", host, reason, right)])
    right = "stop that, or give another --port" if taken else "give another --port"
    named = named or Problem("command line", "--port", port, reason, right)
    return ConfigError([replace(named, reason=reason)])


def serve(server: Server) -> bool:
    """Serve until a signal comes; whether it could begin.

    Raises:
        ConfigError: if the port was taken meanwhile.
    """
    server.run()
    return bool(server.started)


def _allow_files() -> None:
    """As many open files as the system allows this process: a connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
