"""Requests as spans: where the environment asks for it, named by route, without what is secret."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from fastapi import FastAPI
from live_server import serving, wait_for
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.responses import PlainTextResponse

from deepcity.city.errors import ConfigError
from deepcity.web.server import traces
from deepcity.web.server.traces import traced, traced_by_environment


def an_app():
    app = FastAPI()

    @app.get("/places/{name}")
    def place(name: str):
        return PlainTextResponse(name)

    return app


def test_a_request_is_a_span_named_by_its_route():
    exporter = InMemorySpanExporter()
    with serving(traced(an_app(), exporter)) as address:
        headers = {"Authorization": "Basic c2VjcmV0OnNlY3JldA=="}
        assert httpx.get(f"{address}/places/p1", headers=headers).text == "p1"
        assert httpx.get(f"{address}/nothing").status_code == 404
        wait_for(lambda: len(exporter.get_finished_spans()) == 2)
    found, missing = exporter.get_finished_spans()
    assert (found.name, missing.name) == ("GET /places/{name}", "GET")
    assert found.attributes["http.route"] == "/places/{name}"
    assert found.resource.attributes["service.name"] == "deepcity"
    assert "c2VjcmV0" not in str(found.to_json())


class _Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_the_environment_names_a_collector(monkeypatch):
    collector = ThreadingHTTPServer(("127.0.0.1", 0), _Collector)
    collector.got = []
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{collector.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with serving(traced_by_environment(an_app())) as address:
        httpx.get(f"{address}/places/p1")
        wait_for(lambda: collector.got)
    collector.shutdown()
    collector.server_close()
    assert collector.got[0] == "/v1/traces"


def test_without_it_nothing_is_traced():
    app = an_app()
    assert traced_by_environment(app, {}) is app
    off = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}
    assert traced_by_environment(app, off) is app


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(traces, "_NEEDED", ("opentelemetry.nothing.at_all",))
    with pytest.raises(ConfigError, match=r"deepcity\[otel\]"):
        traced_by_environment(an_app(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"})
