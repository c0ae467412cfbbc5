"""A served alert: a real process answers with certainty and until when it holds, and keeps it."""

import json
import signal
import threading
from dataclasses import replace

import httpx
import pytest
from live_server import free_port, ready, serve_process, wait_for
from live_town import DAY, HOUR, NOW, TOWN
from processes import PATIENCE_S

from deepcity.learning.split.fused_package import FusedPackage, _content, load_fused, save_fused
from deepcity.store.packages.sealed_file import hash_of

BOARDINGS = 'kind = "count", unit = "passengers", source = "riders"'
DUST = 'kind = "concentration", unit = "ug/m3", source = "riders"'


@pytest.fixture
def alert(town_trained, tmp_path):
    """The town's package as that of an air warning, with a city file whose field is dust."""
    facts = replace(town_trained.fused.facts, application="air-warning", unit="ug/m3")
    bare = FusedPackage(**{**vars(town_trained.fused), "facts": facts})
    sealed = replace(bare, version=hash_of(*_content(bare))[:16])
    file = save_fused(tmp_path, sealed)
    assert load_fused(file).facts.application == "air-warning"
    folder = tmp_path / "office"
    city = town_trained.copy_to(folder)
    city.write_text(TOWN.replace(BOARDINGS, DUST), encoding="utf-8")
    return replace(town_trained, fused=sealed, fused_file=file), folder


def test_a_served_alert_answers_how_sure_it_is_and_until_when_it_holds(alert, tmp_path):
    town, folder = alert
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    server = serve_process(town, folder, port, f"duckdb:///{tmp_path / 'deep.duckdb'}", "--json")
    watchdog = threading.Timer(PATIENCE_S, server.kill)
    watchdog.start()
    try:
        wait_for(lambda: ready(address))
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
            made = client.get("/decision", params={"at": NOW}).json()
            assert client.get("/forecast", params={"at": NOW - HOUR}).status_code == 200
            refused = client.get("/decision", params={"at": NOW + 9 * DAY})
        log = folder / ".ridership-live" / "decisions.jsonl"
        wait_for(lambda: log.exists() and len(log.read_text("utf-8").splitlines()) == 2)
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=PATIENCE_S)
    finally:
        watchdog.cancel()
        server.kill()
    assert (made["application"], made["task"], made["unit"]) == ("air-warning", "alert", "ug/m3")
    assert made["at"] == "2024-05-25T00:00:00Z"
    assert made["valid_until"] == "2024-05-25T01:00:00Z"
    (reason,) = made["reasons"]
    assert reason["numbers"]["threshold"] == 75.0
    likely = reason["numbers"]["probability"] >= reason["numbers"]["cutoff"]
    assert bool(made["actions"]) == likely == (reason["code"] == "crossing-likely")
    sure = reason["numbers"]["probability"]
    assert made["certainty"] == pytest.approx(sure if likely else 1 - sure, abs=0.01)
    assert made["certainty"] < 1, "no surer than the days it knows"
    assert made["confirm"] == ("authority" if likely else "nobody")
    assert (made["errors"], made["late"]) == ("no-agency", ["gates", "weather"])
    assert refused.status_code == 404
    events = [json.loads(line) for line in output.splitlines()]
    told = [one for one in events if one["event"] == "decision"]
    assert {one["at"] for one in told} == {"2024-05-25T00:00:00Z", "2024-05-24T23:00:00Z"}
    kept = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [one["decision"] for one in kept] == [one["decision"] for one in told]
    assert all(len(one["forecast"]["value"]) == 3 for one in kept)
