"""The examples of CONTRIBUTING.md work: each is dropped into its folder, found and used."""

import re
from multiprocessing.connection import Listener
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from contributing_examples import EXAMPLES, PAGE, drop, fixed_width
from experts_of_a_town import later, town

from deepcity.applications.application import applications
from deepcity.city.errors import ExchangeError
from deepcity.data.city_file import load_city, load_panel
from deepcity.exchange.message import Message
from deepcity.learning.experts.expert import expert_of

ROOT = Path(__file__).parents[1]
CITY = """
name = "town"
title = { en = "Town", ko = "마을" }
[clock]
time_zone = "UTC"
step = "1h"
[[source]]
name = "flows"
format = "fixed_width"
path = "flows.fwf"
widths = [18, 18, 18]
time = { column = "time" }
[[agency]]
name = "water"
title = { en = "Water", ko = "물" }
domain = "resources"
fields = [{ name = "flow", kind = "flow", unit = "L/s", source = "flows" }]
places = ["a", "b"]
"""


@pytest.fixture
def dropped(tmp_path, monkeypatch):
    """Put an example beside the files of its folder; gives its module."""
    return lambda example: drop(example, tmp_path, monkeypatch)


def test_there_is_an_example_of_each_sort():
    folders = {example.rpartition("/")[0] for example in EXAMPLES}
    registries = {"applications", "data/domains", "data/connectors", "learning/experts"}
    assert folders == registries | {"exchange"}


def test_files_that_the_page_names_are_there():
    named = re.findall(
        r"(?:tests|src|docs)/[\w/.*-]+", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    )
    written = {f"src/deepcity/{example}.py" for example in EXAMPLES}
    paths = {path.rstrip(".") for path in named if "NAME" not in path} - written
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not list(ROOT.glob(path))] == []


def test_a_service_is_found(dropped):
    module = dropped("applications/bike_stands")
    assert applications()["bike-stands"] is module.APPLICATION


def test_a_connector_reads_a_panel(dropped, tmp_path):
    dropped("data/connectors/fixed_width")
    rows = [(f"2024-05-01 {hour:02d}:00", hour / 4, hour) for hour in range(24)]
    text = fixed_width([("time", "a", "b"), *rows])
    (tmp_path / "flows.fwf").write_text(text, encoding="utf-8")
    (tmp_path / "town.toml").write_text(CITY, encoding="utf-8")
    panel = load_panel(load_city(tmp_path / "town.toml"), "water")
    np.testing.assert_array_equal(panel.values_TNF[:, 0, 0], np.arange(24) / 4)


def test_an_expert_forecasts(dropped):
    module = dropped("learning/experts/last_value")
    data, origins_B = town(), later()
    expert = expert_of("last_value").fit(data)
    assert isinstance(expert, module.EXPERT)
    found_BNH = expert.predict(data.inputs.samples(origins_B), origins_B)
    np.testing.assert_array_equal(found_BNH[..., 0], data.inputs.values_TN[origins_B - 1])


def test_a_transport_carries_an_answer_and_a_refusal(dropped):
    sockets = dropped("exchange/sockets")

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
