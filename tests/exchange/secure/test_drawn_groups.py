"""Groups of secure sums: how they are drawn, and how many must be there."""

from dataclasses import replace

import pytest
from test_group_rounds import TWELVE, Grouped, names, reasons
from test_secure_rounds import FOUR

from deepcity.city.errors import ExchangeError
from deepcity.exchange.secure.drawn_groups import GroupDraw, check_enough


def test_groups_are_the_same_for_a_seed_and_a_round_and_others_in_the_next():
    draw = GroupDraw(3, seed=4)
    assert draw.groups(TWELVE, 5) == draw.groups(reversed(TWELVE), 5)
    rounds = [tuple(draw.groups(TWELVE, number)) for number in range(20)]
    assert len(set(rounds)) == 20
    assert rounds[0] != tuple(replace(draw, seed=5).groups(TWELVE, 0))
    together = sum(any({"a", "b"} <= set(group) for group in groups) for groups in rounds)
    assert 0 < together < 12  # a pair is in one group in 2 of 11 rounds


@pytest.mark.parametrize("members", range(6, 31))
@pytest.mark.parametrize("size", [3, 4, 5])
def test_groups_hold_everybody_once_and_none_is_too_small(members, size):
    everyone = [f"p{number}" for number in range(members)]
    groups = GroupDraw(size).groups(everyone, 3)
    assert sorted(one for group in groups for one in group) == sorted(everyone)
    assert all(len(group) >= size for group in groups)
    assert len(groups) == members // size
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


@pytest.mark.parametrize(("size", "least"), [(2, 2), (0, 2), (3, 1)])
def test_groups_that_hide_or_compare_nothing_are_none(size, least):
    with pytest.raises(ValueError, match="a sum hides a part only among 2 others or more"):
        GroupDraw(size, 0, least)


@pytest.mark.parametrize(("parties", "least", "needed"), [("abcdefgh", 3, 9), ("abcde", 2, 6)])
def test_with_too_few_members_nothing_begins(parties, least, needed):
    little = Grouped(parties, least=least)
    with pytest.raises(ExchangeError) as refused:
        little.run()
    text = str(refused.value)
    assert f"has {len(parties)} members" in text
    assert f"compares {least} groups or more: {needed} members" in text
    assert "choose secure sums or robust fusion alone" in text
    assert not any(line.passed for line in little.lines.values())


def test_learning_alone_needs_no_groups():
    check_enough(GroupDraw(3), dict.fromkeys(FOUR, ()))
    assert not any(Grouped(dict.fromkeys("abc", 0)).run().failures)


def test_a_site_takes_part_in_no_smaller_sum_than_its_map_has():
    little = Grouped("abcdefgh", size=4, least=2)
    for line in little.lines.values():
        line.inner.least = 5
    found = little.round()
    assert names(found) == set(little.parties)
    assert "has 4 members, and a takes part in sums of 5 or more" in reasons(found, "a")
