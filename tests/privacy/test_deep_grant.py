import pytest
from pydantic import ValidationError

from deepcity.city.errors import GrantError
from deepcity.privacy.deep_grant import DeepGrant

GRANT = DeepGrant(agency="weather", service="metro", least_level=3, widest=4)


@pytest.mark.parametrize(("level", "width"), [(3, 4), (5, 4), (3, 1)])
def test_deep_and_narrow_enough_may_leave(level, width):
    GRANT.check("metro", level, width)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (("parking", 3, 4), "granted for metro; ask weather"),
        (("metro", 2, 4), "level 2 is shallower than 3"),
        (("metro", 3, 5), "5 numbers are more than 4"),
    ],
)
def test_each_bound_refuses_by_itself_and_names_no_other(asked, reason):
    with pytest.raises(GrantError, match=reason) as refused:
        GRANT.check(*asked)
    assert (
        sum(word in str(refused.value) for word in ("granted for", "shallower", "more than")) == 1
    )


def test_all_reasons_are_reported_at_once():
    with pytest.raises(GrantError) as refused:
        GRANT.check("parking", 1, 9)
    for part in ("weather", "parking", "granted for metro", "level 1", "9 numbers", "least_level"):
        assert part in str(refused.value)


@pytest.mark.parametrize("wrong", [{"least_level": 0}, {"least_level": 6}, {"widest": 0}])
def test_bounds_that_are_none_are_refused(wrong):
    with pytest.raises(ValidationError):
        DeepGrant(agency="weather", service="metro", **wrong)
