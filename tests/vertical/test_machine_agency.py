"""An agency on its own machine: what a wrong or hostile application asks is refused and changes
nothing; what it began, it goes on with after a restart.
"""

import math
from dataclasses import replace
from threading import Lock

import numpy as np
import pytest
from little_vertical import deep_grant, little, name_policy, quick_map, released

from deepcity.city.errors import ExchangeError
from deepcity.exchange.message import Message
from deepcity.exchange.trust.recorded_releases import tensors_digest
from deepcity.maps.city_map import load_map
from deepcity.parties.party import load_party
from deepcity.vertical.machines import agency_bounds
from deepcity.vertical.machines.agency import MachineAgency
from deepcity.vertical.setup import terms_of

APPLICATION = "east/water"
STEPS, ROUNDS = 3, 2


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A map with every mode, and what the agencies of its party must know."""
    folder = tmp_path_factory.mktemp("agency")
    more = 'pretrain_steps = 4\nmode = "block-wise"\ncompare = ["one-shot", "per-batch"]'
    path = little(folder, more="pretrain_steps = 1", rounds=ROUNDS)
    text = path.read_text(encoding="utf-8").replace("pretrain_steps = 40\npretrain_steps = 1", more)
    path.write_text(text.replace("local_steps = 20", f"local_steps = {STEPS}"), encoding="utf-8")
    [service] = load_map(path).services
    [member] = service.members
    party = load_party(service, member)
    return service, member, terms_of(party), party.panel.time_T


@pytest.fixture
def agency(case, tmp_path):
    return made(case, tmp_path)


def made(case, folder):
    service, member, *_ = case
    return MachineAgency(
        service,
        member.city_file,
        service.settings.vertical.agency[0],
        APPLICATION,
        1,
        "map",
        folder,
        folder / "run",
        Lock(),
    )


def opened(case, agency, run=1, rounds=0):
    numbers = {"until_s": float(case[2].until), "horizon_s": float(case[2].horizon_s)}
    answer = ask(agency, "open", numbers)
    ask(agency, "handshake", {"run": float(run), "round": float(rounds)})
    return answer


def ask(agency, verb, numbers=None, layers=None, caller=APPLICATION):
    return agency.handle(Message(verb, numbers or {}, layers or {}), caller)


def forward(case, agency, count=8, **numbers):
    return ask(agency, "forward", numbers, {"times": {"times": case[3][100 : 100 + count]}})


def gradients(agency, case, value=0.1, **shape):
    cells, width = 1, 4
    return {"gradients": {"vectors": np.full((8, cells, width), value, np.float32)}}


TRAINED = {"round": 0.0, "steps": float(STEPS), "rate": 1.0}


def test_it_trains_as_its_map_says(case, agency):
    answer = opened(case, agency)
    assert answer.numbers["record_bytes"] > 0
    before = forward(case, agency).layers["deep"]["vectors"]
    ask(agency, "backward", TRAINED, gradients(agency, case))
    assert not np.array_equal(forward(case, agency).layers["deep"]["vectors"], before)


@pytest.mark.parametrize("caller", ["coordinator", "east/weather", "west/water", ""])
def test_no_other_caller(case, agency, caller):
    with pytest.raises(ExchangeError, match="may not call 'open'; east/water may"):
        ask(agency, "open", {}, caller=caller)


@pytest.mark.parametrize("verb", ["loss", "train", "rows", ""])
def test_no_other_verb(agency, verb):
    with pytest.raises(ExchangeError, match="may not call"):
        ask(agency, verb)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.5, 1e300, -1e18, None])
@pytest.mark.parametrize("name", ["until_s", "horizon_s"])
def test_terms_that_cannot_be(case, agency, name, value):
    numbers = {"until_s": float(case[2].until), "horizon_s": float(case[2].horizon_s)}
    numbers.pop(name)
    if value is not None:
        numbers[name] = value
    with pytest.raises(ExchangeError, match=f"'open' with {name} = "):
        ask(agency, "open", numbers)


@pytest.mark.parametrize("verb", ["handshake", "forward", "backward", "restore", "package"])
def test_nothing_before_it_is_opened(agency, verb):
    with pytest.raises(ExchangeError, match="before 'open'"):
        ask(agency, verb)


@pytest.mark.parametrize("verb", ["forward", "backward", "restore", "package"])
def test_nothing_before_a_run_begins(case, agency, verb):
    opened(case, agency)
    numbers = {"until_s": float(case[2].until), "horizon_s": float(case[2].horizon_s)}
    ask(agency, "open", numbers)  # as a lease begins
    with pytest.raises(ExchangeError, match="before a 'handshake'"):
        ask(agency, verb, {"round": 0.0})


@pytest.mark.parametrize(
    ("verb", "numbers", "reason"),
    [
        ("handshake", {}, "run = nan; here it is 1 to 3"),
        ("handshake", {"run": 0.0}, "run = 0"),
        ("handshake", {"run": 4.0}, "run = 4"),
        ("handshake", {"run": 1.0, "round": 3.0}, "round = 3"),
        ("handshake", {"run": 1.0, "round": math.nan}, "round = nan"),
        ("handshake", {"run": 1.0, "round": 1.0}, "no checkpoint of run 1, round 1"),
        ("restore", {"round": 2.0}, "round = 2"),
        ("package", {"step_s": 0.0, "phase_s": 0.0}, "step_s = 0"),
        ("package", {"step_s": 3600.0, "phase_s": 3600.0}, "phase_s = 3600"),
        ("package", {"step_s": math.inf, "phase_s": 0.0}, "step_s = inf"),
    ],
)
def test_numbers_that_its_map_does_not_have(case, agency, verb, numbers, reason):
    opened(case, agency)
    with pytest.raises(ExchangeError, match=reason):
        ask(agency, verb, numbers)


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ({"round": 2.0}, "round = 2"),
        ({"round": 1.0, "best": 1.0}, "best = 1"),
        ({"best": -1.0}, "round = nan"),
    ],
)
def test_a_forward_pass_of_no_round(case, agency, numbers, reason):
    opened(case, agency)
    with pytest.raises(ExchangeError, match=reason):
        forward(case, agency, **numbers)


def test_more_origins_than_memory_takes(case, agency, monkeypatch):
    opened(case, agency)
    monkeypatch.setattr(agency_bounds, "_MOST_VALUES", 100)
    with pytest.raises(ExchangeError, match=r"8 origins in one message; at most \d"):
        forward(case, agency)


@pytest.mark.parametrize(
    ("numbers", "value", "reason"),
    [
        ({}, math.nan, "not finite"),
        ({}, math.inf, "not finite"),
        ({}, 1e30, "at most 1e\\+06"),
        ({"steps": 1e9}, 0.1, "steps = 1000000000.0; here it is 3 to 3"),
        ({"steps": math.nan}, 0.1, "steps = nan"),
        ({"rate": math.nan}, 0.1, "rate = nan"),
        ({"round": 5.0}, 0.1, "round = 5"),
    ],
)
def test_gradients_that_cannot_be_change_nothing(case, agency, numbers, value, reason):
    opened(case, agency)
    before = forward(case, agency).layers["deep"]["vectors"]
    with pytest.raises(ExchangeError, match=reason):
        ask(agency, "backward", {**TRAINED, **numbers}, gradients(agency, case, value))
    np.testing.assert_array_equal(forward(case, agency).layers["deep"]["vectors"], before)


def test_no_more_forward_passes_than_the_trainings_of_its_map_take(case, agency):
    """Nor by opening it anew; each would be an entry of its ledger, and time of its machine."""
    opened(case, agency)
    most = agency._lease.most_forwards
    assert most == 2 * 3 * (ROUNDS * (STEPS + 1) + 3)
    for number in range(most):
        if number % 10 == 0:
            opened(case, agency)
        forward(case, agency)
    for _ in range(2):
        with pytest.raises(ExchangeError, match=f"need at most {most}. The next lease"):
            forward(case, agency)
        opened(case, agency)


def test_it_is_not_built_for_ever_new_terms(case, agency):
    opened(case, agency)
    numbers = {"until_s": float(case[2].until), "horizon_s": float(case[2].horizon_s)}
    for hours in (1, 2):
        ask(agency, "open", numbers | {"horizon_s": numbers["horizon_s"] + 3600 * hours})
    with pytest.raises(ExchangeError, match="the 4th other until_s or horizon_s in one lease"):
        ask(agency, "open", numbers)


def test_gradients_that_come_twice_count_once(case, agency):
    opened(case, agency)
    forward(case, agency)
    ask(agency, "backward", TRAINED, gradients(agency, case))
    with pytest.raises(ExchangeError, match="once after each 'forward'"):
        ask(agency, "backward", TRAINED, gradients(agency, case))
    forward(case, agency)
    with pytest.raises(ExchangeError, match="round 0, which was trained"):
        ask(agency, "backward", TRAINED, gradients(agency, case))
    ask(agency, "backward", {**TRAINED, "round": 1.0}, gradients(agency, case))
    forward(case, agency)
    with pytest.raises(ExchangeError, match="round 0, which was trained; the newest is 1"):
        ask(agency, "backward", TRAINED, gradients(agency, case))


def test_each_mode_has_its_own_number_of_gradients(case, agency):
    opened(case, agency, run=2)
    forward(case, agency)
    with pytest.raises(ExchangeError, match="run 2 is one-shot"):
        ask(agency, "backward", TRAINED, gradients(agency, case))
    ask(agency, "handshake", {"run": 3.0})
    for _ in range(STEPS):
        forward(case, agency)
        ask(agency, "backward", {**TRAINED, "steps": 1.0}, gradients(agency, case))
    forward(case, agency)
    with pytest.raises(ExchangeError, match="round 0, which was trained"):
        ask(agency, "backward", {**TRAINED, "steps": 1.0}, gradients(agency, case))


def test_a_new_worker_goes_on_where_the_old_one_was(case, tmp_path):
    """Its pretrained encoder is read from its folder, and the run from its checkpoint."""
    one = made(case, tmp_path)
    opened(case, one)
    forward(case, one)
    ask(one, "backward", TRAINED, gradients(one, case))
    left = forward(case, one, round=0.0, best=-1.0).layers["deep"]["vectors"]
    other = made(case, tmp_path)
    other._site = None
    opened(case, other, rounds=1)
    np.testing.assert_array_equal(forward(case, other).layers["deep"]["vectors"], left)
    ask(other, "handshake", {"run": 1.0, "round": 2.0, "older": 1.0})  # it was away in a round
    np.testing.assert_array_equal(forward(case, other).layers["deep"]["vectors"], left)
    files = list((tmp_path / "run" / "sites" / "east.weather").rglob("*.checkpoint"))
    assert files
    ask(other, "close")
    assert not any(file.exists() for file in files)
    with pytest.raises(ExchangeError, match="before 'open'"):
        forward(case, other)


def test_what_is_wrong_with_its_records_stays_in_its_own_log(case, tmp_path, caplog):
    agency = made(case, tmp_path)
    records = case[1].city_file.path.parent / "east-weather.csv"
    text = records.read_text(encoding="utf-8")
    records.write_text(text.replace(",", ",secret-4711", 5), encoding="utf-8")
    try:
        with pytest.raises(
            ExchangeError, match="failed with a DataError; see its own log"
        ) as found:
            opened(case, agency)
    finally:
        records.write_text(text, encoding="utf-8")
    assert "4711" not in str(found.value)
    assert "4711" in caplog.text


def test_what_leaves_is_recorded_under_the_kits_key_and_its_policy_asked(tmp_path):
    quick_map(tmp_path, rounds=ROUNDS)
    name_policy(tmp_path, "east", deep_grant())
    [service] = load_map(tmp_path / "map.toml").services
    [member] = service.members
    party = load_party(service, member)
    case = service, member, terms_of(party), party.panel.time_T
    agency = replace(made(case, tmp_path), key=tmp_path / "identity.pem")
    opened(case, agency)
    left = forward(case, agency, round=0.0).layers["deep"]
    site = tmp_path / "run" / "sites" / "east.weather"
    [entry] = released(site)
    assert (entry.receiver, entry.round, entry.sha256) == (APPLICATION, 0, tensors_digest(left))
    assert entry.policy_grants == ("weather-deep",)
    assert not (site / "claims.pem").exists()
    revoked = '[[revoked]]\ngrant = "weather-deep"\nat = 1\n'
    (tmp_path / "east-policy.revoked.toml").write_text(revoked, encoding="utf-8")
    with pytest.raises(ExchangeError, match=r"policy of east denies .* was revoked"):
        forward(case, agency, round=0.0)
    assert len(released(site)) == 1
