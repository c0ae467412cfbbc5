"""Levels of a training are no deeper than each site's policy lets it share, as it states."""

from dataclasses import replace

import pytest

from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.party_choices import fixed_method
from deepcity.maps.grant_settings import GrantSettings
from deepcity.maps.map_settings import ServiceSettings, StrategySettings

PROFILE = SiteProfile(3600, 8, 24, 4, 0, 1, 1000, 0, 3_600_000)


def levels(*most, aggregation="plain", grant=6, newcomers=()):
    """The levels of parties a, b, … of a training at level 6, by what each states."""
    names = [chr(ord("a") + number) for number in range(len(most))]
    settings = ServiceSettings(
        name="water",
        application="water",
        parties=("x/*",),
        field="flow",
        grant=GrantSettings(level=grant),
        strategy=StrategySettings(aggregation=aggregation),
        newcomers=newcomers,
    )
    profiles = {
        name: replace(PROFILE, most_level=level) for name, level in zip(names, most, strict=True)
    }
    return [*fixed_method(settings, profiles, 6).levels.values()]


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        ((6, 6, 6), [6, 6, 6]),
        ((6, 3, 6), [6, 3, 6]),
        ((6, 0, 2), [2, 0, 2]),  # layers that no other party shares do not leave
        ((6, 0, 0), [0, 0, 0]),
    ],
)
def test_a_party_shares_as_deep_as_it_states_and_others_do(most, expected):
    assert levels(*most) == expected


def test_the_map_s_grant_bounds_too():
    assert levels(6, 3, 6, grant=4) == [4, 3, 4]


def test_a_newcomer_that_states_less_still_gets_what_others_share():
    assert levels(6, 6, 0, newcomers=("c",)) == [6, 6]


def test_under_secure_sums_no_layer_is_shared_by_fewer_than_three():
    """A policy that keeps one party out must not stop the run of the others."""
    assert levels(6, 6, 6, aggregation="secure") == [6, 6, 6]
    assert levels(6, 6, 2, aggregation="secure") == [2, 2, 2]
    assert levels(6, 6, 0, aggregation="secure") == [0, 0, 0]
    assert levels(6, 6, 6, 3, aggregation="secure") == [6, 6, 6, 3]
