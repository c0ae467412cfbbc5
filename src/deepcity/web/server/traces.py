"""OpenTelemetry traces of requests, where the environment names a collector (OTLP over HTTP).

OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 deepcity up seoul.toml

Without it nothing is imported and nothing is sent. What is traced is the method, the route, the
address and the status; no header and no body is.
"""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_NEEDED = ("opentelemetry.sdk", "opentelemetry.instrumentation.asgi", "opentelemetry.exporter.otlp")


def traced_by_environment(app: ASGIApp, environment: Mapping[str, str] = os.environ) -> ASGIApp:
    """An app whose requests are traced if the environment says where to; else the app itself.

    Raises:
        ConfigError: if it does, and the libraries are not installed.
    """
    name = next((one for one in _ENDPOINTS if environment.get(one)), None)
    if name is None or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return app
    if not all(map(_is_installed, _NEEDED)):
        reason = "the libraries that send traces are not installed"
        right = f"pip install 'deepcity[otel]', or unset {name}"
        raise ConfigError([Problem("environment", name, environment[name], reason, right)])
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return traced(app, OTLPSpanExporter())  # it reads the same variables


def traced(app: ASGIApp, exporter: "SpanExporter") -> ASGIApp:
    """An app whose requests are spans, sent in batches by a thread of its own."""
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = Resource.create() if "OTEL_SERVICE_NAME" in os.environ else None
    provider = TracerProvider(resource=named or Resource.create({SERVICE_NAME: "deepcity"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    found: ASGIApp = OpenTelemetryMiddleware(
        _RouteNames(app),
        default_span_details=lambda scope: (str(scope.get("method", scope["type"])), {}),
        tracer_provider=provider,
        exclude_spans=["receive", "send"],
    )
    return found


class _RouteNames:
    """Names a span by its route once that is known: a path holds ids, and is another each time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from opentelemetry.trace import get_current_span

        async def named(message: Message) -> None:
            path = getattr(scope.get("route"), "path", "")
            if message["type"] == "http.response.start" and path:
                span = get_current_span()
                span.update_name(f"{scope['method']} {path}")
                span.set_attribute("http.route", path)
            await send(message)

        await self._app(scope, receive, named)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # not even the package that it is part of
        return False
