"""The examples of CONTRIBUTING.md work: each is dropped into its folder, found and used."""

import importlib
import json
import re
import sys
from multiprocessing.connection import Listener
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from deepcity.city.errors import ExchangeError
from deepcity.data import connectors
from deepcity.data.city_file import load_city, load_panel
from deepcity.exchange.message import Message

for room in ("data.errors", "learning.experts.expert", "applications.decision"):
    pytest.importorskip(f"deepcity.{room}", reason="the examples name rooms to come")

PAGE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"`src/deepcity/([\w/]+)\.py`:\n\n```python\n(.*?)```", PAGE, re.DOTALL))
CITY = """
name = "town"
title = { en = "Town", ko = "마을" }
[clock]
time_zone = "UTC"
step = "1h"
[[source]]
name = "flows"
format = "json_lines"
path = "flows.jsonl"
time = { column = "time" }
[[agency]]
name = "water"
title = { en = "Water", ko = "물" }
domain = "resources"
fields = [{ name = "flow", kind = "flow", unit = "L/s", source = "flows" }]
places = ["a", "b"]
"""


@pytest.fixture
def drop(tmp_path, monkeypatch):
    """Put an example beside the files of its folder; gives its module."""
    connectors.connectors.cache_clear()

    def dropped(example):
        folder, _, name = example.rpartition("/")
        (tmp_path / f"{name}.py").write_text(EXAMPLES[example], encoding="utf-8")
        package = importlib.import_module("deepcity." + folder.replace("/", "."))
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        module = f"{package.__name__}.{name}"
        monkeypatch.delitem(sys.modules, module, raising=False)
        loaded = importlib.import_module(module)
        monkeypatch.setitem(sys.modules, module, loaded)
        return loaded

    yield dropped
    connectors.connectors.cache_clear()


def test_there_is_an_example_of_each_sort():
    folders = {example.rpartition("/")[0] for example in EXAMPLES}
    registries = {"applications", "data/domains", "data/connectors", "learning/experts"}
    assert folders == registries | {"exchange"}


def test_a_service_is_found(drop):
    module = drop("applications/bike_stands")
    registry = importlib.import_module("deepcity.applications.application")
    assert registry.applications()["bike-stands"] is module.APPLICATION


def test_a_connector_reads_a_panel(drop, tmp_path):
    drop("data/connectors/json_lines")
    rows = [{"time": f"2024-05-01 {hour:02d}:00", "a": hour / 4, "b": hour} for hour in range(24)]
    (tmp_path / "flows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "town.toml").write_text(CITY, encoding="utf-8")
    panel = load_panel(load_city(tmp_path / "town.toml"), "water")
    np.testing.assert_array_equal(panel.values_TNF[:, 0, 0], np.arange(24) / 4)


def test_an_expert_forecasts(drop):
    module = drop("learning/experts/last_value")
    town = importlib.import_module("experts_of_a_town")
    registry = importlib.import_module("deepcity.learning.experts.expert")
    data, origins_B = town.town(), town.later()
    expert = registry.expert_of("last_value").fit(data)
    assert isinstance(expert, module.EXPERT)
    found_BNH = expert.predict(data.inputs.samples(origins_B), origins_B)
    np.testing.assert_array_equal(found_BNH[..., 0], data.inputs.values_TN[origins_B - 1])


def test_a_transport_carries_an_answer_and_a_refusal(drop):
    sockets = drop("exchange/sockets")

    class Party:
        def handle(self, message, caller):
            if message.verb == "refuse":
                raise ValueError("not on a Sunday")
            return Message(f"called by {caller}")

    with Listener(("127.0.0.1", 0), authkey=b"key") as listener:
        Thread(target=sockets.serve, args=(Party(), listener), daemon=True).start()
        exchange = sockets.SocketExchange({"north": listener.address}, b"key")
        assert exchange.call("north", Message("who")).verb == "called by coordinator"
        with pytest.raises(ExchangeError, match=r"north.*Sunday"):
            exchange.call("north", Message("refuse"))
    assert exchange.ledger.received_by_party()["north"] > 0
