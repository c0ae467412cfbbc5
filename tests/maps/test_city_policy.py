"""A city's policy file: every problem at once; a change holds from the next decision on."""

import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_town import DEEP_GRANT, GRANT, RULES, policy_town

from deepcity.city.errors import ConfigError, GrantError
from deepcity.data.city_file import load_city
from deepcity.maps.city_policy import (
    PolicyFile,
    policy_origin,
    policy_problems,
    read_policy,
)
from deepcity.privacy.policy.release import ReleaseAction, ReleaseMeasures, ReleaseRequest

REQUEST = ReleaseRequest(
    ReleaseAction.RELEASE_LAYERS,
    "water",
    ("harbour",),
    "demand",
    "water demand forecast",
    1,
    5,
    1_800_000_000,
    ReleaseMeasures(stream_r2=0.3, joined=3),
)


def _origin(folder, *parts, **rules):
    return policy_origin(load_city(policy_town(folder, "".join(parts), **rules), later=True))


def test_a_policy_file_is_read_with_its_rules(tmp_path):
    policy = read_policy(_origin(tmp_path, GRANT, DEEP_GRANT, rules=RULES))
    layers, deep = policy.grants
    assert (layers.lowest, layers.highest, layers.least_k) == (1, 5, 3)
    assert (deep.cadence_s, deep.keep_days, deep.purpose) == (3600, 30, "수요 예측")
    # through the last day in the city's own time zone, nine hours ahead of UTC
    assert layers.until == 32_503_680_000 - 9 * 3600
    assert not policy.decide(REQUEST).allowed
    assert policy.decide(replace(REQUEST, recipients=("town",))).allowed


def test_a_grant_of_sightings_names_no_layer(tmp_path):
    (found,) = read_policy(_origin(tmp_path, SIGHTINGS + 'cadence = "1min"\n')).grants
    assert (found.item, found.lowest, found.highest, found.cadence_s) == ("sightings", 0, 0, 60)


def test_a_city_without_policy_has_none(tmp_path):
    path = policy_town(tmp_path)
    path.write_text(path.read_text().replace('policy = "policy.toml"', ""), encoding="utf-8")
    city_file = load_city(path, later=True)
    assert policy_origin(city_file) is None
    assert policy_problems(city_file) == []


SIGHTINGS = (
    DEEP_GRANT.replace("deep_data", "sightings")
    .replace('lowest = "h3"\nhighest = "h5"\n', "")
    .replace('cadence = "1h"\nkeep_days = 30\n', "")
)
WRONG = {
    "layers of sightings": (SIGHTINGS + 'highest = "h5"\n', "sightings are of none"),
    "leakage of sightings": (SIGHTINGS + 'leakage = "any"\n', "sightings are of none"),
    "k of sightings": (SIGHTINGS + "least_k = 3\n", "sightings are of one person"),
    "days of sightings": (SIGHTINGS + "keep_days = 3\n", "end with their case"),
    "two of one name": (GRANT + GRANT, "two grants have this name"),
    "unknown agency": (GRANT.replace('"water"\nitem', '"watr"\nitem'), "Did you mean 'water'"),
    "other domain": (GRANT.replace('"resources"', '"transport"'), "of the domain resources"),
    "order": (GRANT.replace('"h5"', '"stem"'), "higher than stem"),
    "cadence of layers": (GRANT + 'cadence = "1h"\n', "bounds a stream"),
    "k of deep data": (DEEP_GRANT + "least_k = 3\n", "bounds secure sums"),
    "head of deep data": (DEEP_GRANT.replace('"h5"', '"head"'), "cut at h1 to h5"),
    "layers from h3": (GRANT.replace('"h1"', '"h3"'), "nothing could leave"),
    "never ends": (GRANT.replace("2999-12-31", "9999-12-31"), "further off"),
    "ends at 0": (GRANT.replace("2999-12-31", "0"), "until = 0: no day"),
    "ends at a number": (GRANT.replace("2999-12-31", "32503680000"), "no day"),
    "ends at a number in quotes": (GRANT.replace("2999-12-31", '"0"'), "no day"),
    "ends in truth": (GRANT.replace("2999-12-31", "true"), "no day"),
    "ends at a moment": (GRANT.replace("2999-12-31", "2999-12-31T00:00:00"), "no day"),
    "ends at no day": (GRANT.replace("2999-12-31", '"2999-13-01"'), "until"),
    "no end": (GRANT.replace("until = 2999-12-31\n", ""), "until: missing"),
    "nan": (GRANT.replace("0.4", "nan"), "max_stream_r2"),
    "nobody": (GRANT.replace('["town", "harbour"]', "[]"), "grantee"),
    "unknown key": (GRANT + "level = 3\n", "unknown key"),
    "control sign": (GRANT.replace("water demand", "\\u001b[2J"), "purpose"),
    "not TOML": ("[[grant", "not TOML"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_policy_is_refused_with_the_reason(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words) as caught:
        read_policy(_origin(tmp_path, text))
    assert "\x1b" not in str(caught.value)


def test_rules_that_are_absent_a_pipe_or_no_text_are_problems(tmp_path):
    origin = _origin(tmp_path, GRANT, rules=RULES)
    (tmp_path / "policy.cedar").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_policy(origin)
    (tmp_path / "policy.cedar").unlink()
    with pytest.raises(ConfigError, match="No such file"):
        read_policy(origin)
    os.mkfifo(tmp_path / "policy.cedar")
    with pytest.raises(ConfigError, match="named pipe"):
        read_policy(origin)


def test_a_revocation_holds_from_the_next_decision_on(tmp_path):
    policy_file = PolicyFile(_origin(tmp_path, GRANT))
    assert policy_file.decide(REQUEST).allowed
    revoked = tmp_path / "policy.revoked.toml"
    revoked.write_text('[[revoked]]\ngrant = "water-layers"\nat = 1700000000\n', encoding="utf-8")
    with pytest.raises(GrantError, match="revoked on 2023-11-14"):
        policy_file.check(REQUEST)


def test_a_rule_written_later_holds_from_the_next_decision_on(tmp_path):
    policy_file = PolicyFile(_origin(tmp_path, GRANT, rules="// none yet"))
    assert policy_file.decide(REQUEST).allowed
    (tmp_path / "policy.cedar").write_text(RULES, encoding="utf-8")
    assert [one.code for one in policy_file.decide(REQUEST).reasons] == ["forbidden"]


@pytest.mark.parametrize("name", ["policy.toml", "policy.cedar", "policy.revoked.toml"])
def test_a_policy_that_can_no_longer_be_read_denies_until_it_can(tmp_path, name):
    policy_file = PolicyFile(_origin(tmp_path, GRANT, rules="// none yet"))
    assert policy_file.decide(REQUEST).allowed
    path = tmp_path / name
    before = path.read_bytes() if path.exists() else b""
    path.write_text("[[ half-writ", encoding="utf-8")
    for _ in range(2):
        assert not policy_file.decide(REQUEST).allowed
        with pytest.raises(GrantError, match=r"denies everything"):
            policy_file.check(REQUEST)
    path.write_bytes(before)
    assert policy_file.decide(REQUEST).allowed


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    return _origin(folder, GRANT, rules=RULES)


@given(
    st.sampled_from(["policy.toml", "policy.cedar", "policy.revoked.toml"]),
    st.binary(max_size=40),
    st.integers(0, 400),
    st.integers(0, 40),
)
@settings(max_examples=150, deadline=None)
def test_mutated_files_are_refused_or_grant_no_more(town, name, inserted, at, length):
    """Bytes put into any of the files: a reason, or a policy; never a crash, nor a stranger."""
    folder = town.path.parent
    whole = {
        "policy.toml": 'rules = "policy.cedar"\n' + GRANT,
        "policy.cedar": RULES,
        "policy.revoked.toml": '[[revoked]]\ngrant = "water-layers"\nat = 1700000000\n',
    }
    for file, text in whole.items():
        (folder / file).write_text(text, encoding="utf-8")
    raw = whole[name].encode()
    (folder / name).write_bytes(raw[:at] + inserted + raw[at + length :])
    try:
        policy = read_policy(town)
    except ConfigError:
        return
    assert not policy.decide(replace(REQUEST, recipients=("stranger",))).allowed
