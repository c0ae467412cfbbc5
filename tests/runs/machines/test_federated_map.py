"""A map as machines read and check it, and what an operator sees of its coordinator."""

import json
import sys

import pytest
from little_map import service, three
from little_vertical import quick_map

from deepcity.city.errors import CheckpointError, ConfigError, ExchangeError
from deepcity.exchange.flare.identities import publish_identities
from deepcity.exchange.flare.kits import FEDERATION, FederationFile
from deepcity.runs.machines.federated_map import (
    check_site_names,
    map_of_federation,
    map_on_machine,
)
from deepcity.runs.machines.status import coordinator_status, run_folder, write_status

SECURE = "[service.strategy]\naggregation = 'secure'\n"


def federation_of(map_file):
    return FederationFile(name="tests", map=str(map_file))


@pytest.mark.parametrize("absent", ["east-north.csv", "west-office.csv"])
def test_records_of_others_need_not_be_there(tmp_path, absent):
    path = three(tmp_path).write()
    (tmp_path / absent).unlink()
    [only] = map_on_machine(path).services
    assert [one.name for one in only.members] == ["east/north", "east/south", "west/office"]


@pytest.mark.parametrize(
    ("more", "cities", "reason"),
    [
        ("labels_stay = true", ("east",), "an application apart from its labels"),
    ],
)
def test_vertical_trainings_that_machines_cannot_do(tmp_path, more, cities, reason):
    city_map = quick_map(tmp_path, more=more, cities=cities)
    with pytest.raises(ExchangeError, match=reason):
        map_of_federation(tmp_path, federation_of(city_map.path))


def test_what_vertical_training_does_not_support_is_refused_by_the_hub(tmp_path):
    path = quick_map(tmp_path, cities=("east", "west")).path
    text = path.read_text(encoding="utf-8")
    newcomers = 'parties = ["*/water"]\nnewcomers = ["west/water"]'
    text = text.replace('parties = ["*/water"]', newcomers).replace("automatic = false\n", "")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="vertical training has no shared layers"):
        map_of_federation(tmp_path, federation_of(path))


def test_an_agency_that_helps_may_have_a_site(tmp_path):
    city_map = quick_map(tmp_path)
    check_site_names(["east", "east_weather"], city_map)
    with pytest.raises(ExchangeError, match="'east_wether' would answer for no party"):
        check_site_names(["east_wether"], city_map)


def test_secure_sums_need_an_identity_of_every_site(tmp_path):
    path = three(tmp_path).write(service(more=SECURE))
    federation = federation_of(path)
    assert map_of_federation(tmp_path, federation).services
    federation.sites += ["east", "west", "gone"]
    federation.revoked += ["gone"]
    publish_identities(tmp_path, {"east": made_kit(tmp_path / "east")})
    with pytest.raises(ExchangeError, match="secure sums, and west have no identity"):
        map_of_federation(tmp_path, federation)
    publish_identities(tmp_path, {"west": made_kit(tmp_path / "west")})
    assert map_of_federation(tmp_path, federation).services


def made_kit(path):
    (path / "local").mkdir(parents=True)
    return path


def test_no_layer_leaves_plain_where_a_map_asks_for_secure_sums(tmp_path):
    pytest.importorskip("nvflare")
    from deepcity.exchange.exchange import COORDINATOR
    from deepcity.exchange.flare.task import CallTask
    from deepcity.exchange.message import ROUND, Message
    from deepcity.exchange.party import TRAIN
    from deepcity.runs.machines.map_site import _Opened

    city_map = map_on_machine(three(tmp_path).write(service(rounds=1, more=SECURE)))
    [only] = city_map.services
    site = _Opened(city_map, "east/north", {"water": only}, made_kit(tmp_path / "kit"))
    named = {"training": "water.level_6", "method": "level_6"}
    task = CallTask(party="east/north", service="water", level=6, **named)
    with pytest.raises(CheckpointError, match="this kit has no identity"):
        site.handler(task)
    publish_identities(tmp_path, {"east": tmp_path / "kit"})
    handler = site.handler(task)
    assert set(handler.inner.inner.identities) == {"east/north", "east/south"}  # recorded, signed
    answer = handler.handle(Message(TRAIN, {ROUND: 0.0}), COORDINATOR)
    assert not answer.layers
    for other in ({"training": "water.again"}, {"training": "water.level_5", "method": "level_5"}):
        with pytest.raises(ExchangeError, match=r"is not called after|gives no layers"):
            site.handler(task.model_copy(update=other))


def test_site_answers_with_its_own_records_alone(tmp_path):
    pytest.importorskip("nvflare")
    from deepcity.exchange.exchange import COORDINATOR
    from deepcity.exchange.flare.task import CallTask
    from deepcity.exchange.message import Message
    from deepcity.exchange.profile import DESCRIBE
    from deepcity.runs.machines.map_site import _Opened

    path = three(tmp_path).write()
    for absent in ("east-south.csv", "west-office.csv"):
        (tmp_path / absent).unlink()
    city_map = map_on_machine(path)
    site = _Opened(city_map, "east/north", {"water": city_map.services[0]}, tmp_path)
    handler = site.handler(CallTask(party="east/north", service="water"))
    assert handler.handle(Message(DESCRIBE), COORDINATOR).numbers


def test_names_of_sites_are_those_that_answer_for_somebody(tmp_path):
    city_map = map_on_machine(three(tmp_path).write())
    check_site_names(["east", "west_office", "east_north"], city_map)
    with pytest.raises(ExchangeError) as refused:
        check_site_names(["eeast", "west", "nobody"], city_map)
    assert "'eeast', 'nobody' would answer for no party of" in str(refused.value)
    assert "did you mean 'east'? Known are east, west, east_north" in str(refused.value)


def test_federation_without_a_map(tmp_path):
    with pytest.raises(CheckpointError, match="--map FILE"):
        map_of_federation(tmp_path, FederationFile(name="tests"))


def test_status_names_why_the_coordinator_stopped(tmp_path, monkeypatch):
    from deepcity.runs.machines import lead

    path = quick_map(tmp_path, more="labels_stay = true").path
    (tmp_path / FEDERATION).write_text(federation_of(path).model_dump_json())
    monkeypatch.setattr(sys, "argv", ["lead", str(tmp_path)])
    pytest.importorskip("nvflare")
    with pytest.raises(SystemExit):
        lead.main()
    text = coordinator_status(tmp_path)
    assert "s ago: stopped, and is started again: water asks for an application apart" in text


@pytest.mark.parametrize(
    ("leases", "end"), [(0, "round 2 of 4"), (1, "of 4, 1 lease"), (2, "of 4, 2 leases")]
)
def test_status_counts_leases(tmp_path, leases, end):
    run = run_folder(tmp_path)
    write_status(run, "water.level_6", done=2, rounds=4, leases=leases, sites=["north"])
    assert coordinator_status(tmp_path).endswith(end)
    assert json.loads((run / "status.json").read_text())["round"] == 2
