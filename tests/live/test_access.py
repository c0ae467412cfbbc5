"""The access file: who may send, what is granted, and never a token in a message."""

import pytest
from live_server import ACCESS_FILE, TOKENS

from deepcity.city.errors import ConfigError, TokenError
from deepcity.live.access import load_access
from deepcity.store.deep_data.batch import Space


@pytest.fixture
def load(tmp_path):
    def load(text):
        (tmp_path / "access.toml").write_text(text, encoding="utf-8")
        return load_access(tmp_path / "access.toml")

    return load


def space(agency="weather", layer="h3", city="town"):
    return Space(city, "environment", agency, layer, "v1")


def test_tokens_tell_who_it_is(load):
    access = load(ACCESS_FILE)
    for name, token in TOKENS.items():
        assert access.agency_of(token) == name
    with pytest.raises(TokenError, match="not an agency's"):
        access.agency_of("")
    with pytest.raises(TokenError, match="not an agency's"):
        access.agency_of("weather")
    assert access.may_ask("")  # no readers are named


def test_readers_must_be_known_where_some_are_named(load):
    text = ACCESS_FILE + '\n[[reader]]\nname = "room"\ntoken = "control-room-0123456789"\n'
    access = load(text)
    assert access.may_ask("control-room-0123456789")
    assert not access.may_ask("")
    assert not access.may_ask(TOKENS["weather"])
    with pytest.raises(TokenError, match="not an agency's"):
        access.agency_of("control-room-0123456789")


def test_a_store_lets_read_what_a_grant_covers_and_nothing_else(load):
    allowed = load(ACCESS_FILE).may_read("town")
    assert allowed("ridership", space()) is True
    for reader, where in [
        ("parking", space()),
        ("ridership", space(agency="police")),
        ("ridership", space(city="other")),
        ("ridership", space(layer="h2")),
        ("ridership", space(layer="stem")),
    ]:
        assert allowed(reader, where) is False


def test_a_store_lets_nothing_be_read_that_is_wider_than_granted(load):
    text = ACCESS_FILE.replace("[agency.grant]", "[agency.grant]\nwidest = 3")
    widths = {space(): 4, space("gates"): 3}
    allowed = load(text).may_read("town", widths)
    assert allowed("ridership", space("gates")) is True
    assert allowed("ridership", space()) is False
    assert allowed("ridership", space("gates", "h4")) is False  # nobody said how wide it is
    assert load(ACCESS_FILE).may_read("town", widths)("ridership", space()) is True


def test_an_agency_grants_each_service_by_itself(load):
    text = ACCESS_FILE.replace(
        '[agency.grant]\nservice = "ridership"',
        '[[agency.grant]]\nservice = "ridership"\n[[agency.grant]]\nservice = "exits"\nwidest = 2',
        1,
    )
    access = load(text)
    assert access.grant_of("weather", "ridership").widest == 16
    assert access.grant_of("weather", "exits").widest == 2
    assert access.grant_of("gates", "exits") is None
    allowed = access.may_read("town")
    assert allowed("exits", space()) is True
    assert allowed("exits", space("gates")) is False
    with pytest.raises(ConfigError, match="two grants for ridership"):
        load(text.replace('"exits"', '"ridership"'))
    with pytest.raises(ConfigError, match=r"agency\[weather\].grant\[2\].widest"):
        load(text.replace("widest = 2", "widest = 0"))
    with pytest.raises(ConfigError, match="grant"):
        load(ACCESS_FILE.replace('[agency.grant]\nservice = "ridership"', "grant = []", 1))


def test_a_token_from_the_environment(load, monkeypatch):
    text = ACCESS_FILE.replace(TOKENS["weather"], "${RAIN}")
    with pytest.raises(ConfigError, match="RAIN is not set"):
        load(text)
    monkeypatch.setenv("RAIN", "rain-token-9876543210")
    assert load(text).agency_of("rain-token-9876543210") == "weather"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (TOKENS["weather"], "short", "shorter than 16"),
        (TOKENS["weather"], TOKENS["gates"], "same token"),
        ('name = "weather"', 'name = "gates"', "two entries have this name"),
        ("[agency.grant]", "[agency.grants]", "unknown key"),
        (f'token = "{TOKENS["weather"]}"', "token = 5", "token"),
    ],
)
def test_what_is_wrong_is_reported_without_a_token(load, old, new, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load(ACCESS_FILE.replace(old, new, 1))
    for token in TOKENS.values():
        assert token not in str(caught.value)
