import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deepcity.city.errors import GrantError
from deepcity.city.level import LADDER, layers_up_to
from deepcity.privacy.grants import Grant

levels = st.integers(0, 6)
stems = st.sampled_from(["private", "common"])
names = st.sampled_from([*LADDER, "stem", "place_embedding", "", "H1"])


@given(levels, stems, st.lists(names), st.sampled_from(["a", "b"]), st.sampled_from(["s", "t"]))
def test_only_granted_layers_of_this_party_and_service_pass(level, stem, leaving, party, service):
    grant = Grant(party="a", service="s", level=level, stem=stem)
    allowed = set(layers_up_to(level)) | ({"stem"} if stem == "common" and level > 0 else set())
    if not leaving or (party == "a" and service == "s" and set(leaving) <= allowed):
        grant.check(leaving, party, service)
    else:
        with pytest.raises(GrantError, match=r"may not leave"):
            grant.check(leaving, party, service)


def test_refusal_names_layer_party_grant_and_next_step():
    grant = Grant(party="north", service="water", level=2)
    with pytest.raises(GrantError) as caught:
        grant.check(["h1", "h4", "stem"], "north", "water")
    words = str(caught.value)
    for needed in ("'h4' needs level 4", "'stem' is private", "north's grant for water", "level 2"):
        assert needed in words
    assert "h1'" not in words.split(": ", 2)[-1]


def test_grant_of_another_party_or_purpose_is_distinguished():
    grant = Grant(party="north", service="water", level=6)
    with pytest.raises(GrantError, match=r"not south's.*does not serve police"):
        grant.check(["h1"], "south", "police")


@pytest.mark.parametrize("wrong", [{"level": 7}, {"level": -1}, {"stem": "open"}, {"lvl": 1}])
def test_grant_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValidationError):
        Grant(**{"party": "north", "service": "water", "level": 1} | wrong)


def test_grant_cannot_be_widened():
    grant = Grant(party="north", service="water", level=1)
    with pytest.raises(ValidationError):
        grant.level = 6
