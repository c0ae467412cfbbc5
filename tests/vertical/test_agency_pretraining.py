"""An agency pretrained with its equals of other cities, on its own machine: who may ask for it,
when, and what it waits for.
"""

from threading import Lock

import numpy as np
import pytest
from little_vertical import layers_grant, name_policy, quick_map, released

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import EVALUATE, FINISH, JOIN, TRAIN
from deepcity.exchange.trust.recorded_releases import tensors_digest
from deepcity.maps.city_map import load_map
from deepcity.parties.party import load_party
from deepcity.vertical.machines.agency import MachineAgency
from deepcity.vertical.machines.agency_pretraining import AgencyPretraining
from deepcity.vertical.setup import terms_of

APPLICATION = "east/water"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A map whose weather offices share h1 and h2, and what the east's agency must know."""
    more = "pretrain_steps = 12\nreuse_level = 2"
    return _case(tmp_path_factory.mktemp("shared"), more, ("east", "west"))


def _case(folder, more, cities):
    [service] = quick_map(folder, more=more, cities=cities, rounds=2).services
    party = load_party(service, service.members[0])
    return service, terms_of(party)


def made(case, folder):
    service, _ = case
    member, vertical = service.members[0], service.settings.vertical
    parts = member.city_file, vertical.agency[0], APPLICATION, 1, "map"
    agency = MachineAgency(service, *parts, folder, folder / "run", Lock())
    return agency, AgencyPretraining(agency)


def opened(case, folder):
    agency, pretraining = made(case, folder)
    numbers = {"until_s": float(case[1].until), "horizon_s": float(case[1].horizon_s)}
    agency.handle(Message("open", numbers), APPLICATION)
    return agency, pretraining


def train(pretraining, number=0, layers=None):
    return pretraining.handle(Message(TRAIN, {ROUND: float(number)}, layers or {}), COORDINATOR)


def weights(layers):
    return layers["h1"]["inner.weight"]


def test_it_waits_until_it_was_pretrained_and_is_kept_for_later_leases(case, tmp_path):
    agency, pretraining = opened(case, tmp_path)
    begin = Message("handshake", {"run": 1.0, "round": 0.0})
    with pytest.raises(ExchangeError, match=r"before east/weather was pretrained .* reuse_level"):
        agency.handle(begin, APPLICATION)
    pretraining.handle(Message(JOIN), COORDINATOR)
    found = train(pretraining)
    assert {*found.layers} == {"h1", "h2"}
    pretraining.handle(Message(EVALUATE, {ROUND: 1.0}, found.layers), COORDINATOR)
    pretraining.handle(Message(FINISH), COORDINATOR)
    agency.handle(begin, APPLICATION)
    later, _ = opened(case, tmp_path)
    later.handle(begin, APPLICATION)
    np.testing.assert_array_equal(
        weights(later._site.learner.export(("h1",))), weights(found.layers)
    )


def test_who_begins_anew_begins_where_it_began(case, tmp_path):
    _, pretraining = opened(case, tmp_path)
    first = []
    for _ in range(2):
        pretraining.handle(Message(JOIN), COORDINATOR)
        first.append(weights(train(pretraining).layers))
        train(pretraining, 1)
    np.testing.assert_array_equal(*first)


def test_nothing_before_its_application_opened_it_or_before_it_joined(case, tmp_path):
    _, pretraining = made(case, tmp_path)
    with pytest.raises(ExchangeError, match="east/water has not opened east/weather yet"):
        pretraining.handle(Message(JOIN), COORDINATOR)
    _, pretraining = opened(case, tmp_path)
    for verb in (TRAIN, EVALUATE, FINISH):
        with pytest.raises(ExchangeError, match="before 'join'"):
            pretraining.handle(Message(verb, {ROUND: 0.0}), COORDINATOR)


@pytest.mark.parametrize("caller", [APPLICATION, "east/weather", "west/weather", ""])
def test_nobody_but_the_coordinator(case, tmp_path, caller):
    _, pretraining = opened(case, tmp_path)
    with pytest.raises(ExchangeError, match="only coordinator may"):
        pretraining.handle(Message(JOIN), caller)


def test_an_encoder_that_is_being_trained_is_not_set_back(case, tmp_path):
    agency, pretraining = opened(case, tmp_path)
    pretraining.handle(Message(JOIN), COORDINATOR)
    pretraining.handle(Message(FINISH), COORDINATOR)
    agency.handle(Message("handshake", {"run": 1.0, "round": 0.0}), APPLICATION)
    with pytest.raises(ExchangeError, match="trains with east/weather already"):
        pretraining.handle(Message(JOIN), COORDINATOR)


def test_its_own_map_says_whether_it_is_pretrained_with_others(tmp_path):
    alone = _case(tmp_path / "map", "pretrain_steps = 4", ("east", "west"))
    _, pretraining = opened(alone, tmp_path)
    with pytest.raises(ExchangeError, match="with no others in its own map"):
        pretraining.handle(Message(JOIN), COORDINATOR)


def test_its_layers_leave_as_its_own_policy_grants_and_are_recorded(tmp_path):
    folder = tmp_path / "map"
    quick_map(
        folder, more="pretrain_steps = 12\nreuse_level = 2", cities=("east", "west"), rounds=2
    )
    name_policy(folder, "east", layers_grant(highest="h2"))
    [service] = load_map(folder / "map.toml").services
    case = service, terms_of(load_party(service, service.members[0]))
    _, pretraining = opened(case, tmp_path)
    pretraining.handle(Message(JOIN), COORDINATOR)
    found = train(pretraining)
    site = tmp_path / "run" / "sites" / "east.weather"
    assert [one.sha256 for one in released(site)] == [
        tensors_digest(found.layers[name]) for name in ("h1", "h2")
    ]
    assert {one.training for one in released(site)} == {"water.pretraining-weather-1"}
    name_policy(folder, "east", layers_grant(highest="h1"))
    with pytest.raises(
        ExchangeError, match="policy of east denies the release of layers of weather"
    ):
        train(pretraining, 1)
    assert len(released(site)) == 2
