"""A secure sum is the plain one to fixed-point rounding, and shows nothing but the sum."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from little_sum import little_sum

from deepcity.city.errors import SecureSumError
from deepcity.privacy.secure_sums.fixed_point import BOUND, fraction_bits, to_residues
from deepcity.privacy.secure_sums.masks import stream
from deepcity.privacy.secure_sums.roster import Roster, threshold
from deepcity.privacy.secure_sums.shamir import PRIME, join_secret, split_secret


def plain_mean(one, stayed):
    weights = np.array([one.weights[party] for party in stayed])
    return weights @ np.stack([one.values[p].astype(np.float64) for p in stayed]) / weights.sum()


def rounding(one, stayed):
    weight = sum(one.weights[party] for party in stayed)
    return len(stayed) / 2 / 2 ** fraction_bits(len(one.values)) / weight


@pytest.mark.parametrize("left", [0, 1, 3])
def test_exact_to_rounding_with_members_that_drop_out(left):
    one = little_sum().share()
    stayed = list(one.values)[left:]
    found = one.mask(stayed).unmask().mean()
    assert np.abs(found - plain_mean(one, stayed)).max() <= rounding(one, stayed) * (1 + 1e-9)


@settings(max_examples=25, deadline=None)
@given(
    members=some.integers(3, 9),
    size=some.integers(0, 40),
    left=some.integers(0, 3),
    seed=some.integers(0, 2**32),
    scale=some.floats(1e-6, 10.0),
)
def test_any_shape_any_weights_any_members_that_drop_out(members, size, left, seed, scale):
    rng = np.random.default_rng(seed)
    names = [f"city-{index}/metro" for index in range(members)]
    weights = dict(zip(names, rng.uniform(1 / 9, 1.0, members), strict=True))
    one = little_sum(members, size, seed, weights)
    one.values = {name: np.float32(scale) * part for name, part in one.values.items()}
    left = min(left, members - threshold(members))
    stayed = sorted(rng.permutation(names)[left:])
    found = one.share().mask(stayed).unmask().mean()
    off = np.abs(found - plain_mean(one, stayed)).max(initial=0)
    assert off <= rounding(one, stayed) * (1 + 1e-9)


def test_members_at_the_bound_do_not_leave_the_ring():
    one = little_sum(size=4)
    edge = np.array([BOUND, -BOUND, BOUND, -BOUND], np.float32)
    one.values = dict.fromkeys(one.values, edge)
    assert np.array_equal(one.share().mask().unmask().mean(), edge)


def chi_square(vector_V):
    """Of the bytes, against equal counts; 255 degrees of freedom: mean 255, deviation 22.6."""
    counts = np.bincount(vector_V.view(np.uint8), minlength=256)
    return float(((counts - counts.mean()) ** 2 / counts.mean()).sum())


def test_masked_vectors_of_two_updates_are_both_uniform_bytes():
    """All zeros and all the same large value look alike, and alike to their sum with the others."""
    size = 60_000
    for value in (0.0, 63.0):
        one = little_sum(3, size)
        one.values = {name: np.full(size, value, np.float32) for name in one.values}
        one.share().mask()
        plain = to_residues(one.values["city-0/metro"], 1.0, 3)
        assert chi_square(plain) > 1_000_000
        for vector in one.vectors.values():
            assert chi_square(vector) < 255 + 6 * 22.6
            agree = np.count_nonzero(vector == plain)
            assert agree < 5


def test_pair_masks_alone_leave_a_uniform_vector_where_fewer_than_all_are_added():
    one = little_sum(4, 60_000).share().mask()
    some_of_them = np.sum(np.stack(list(one.vectors.values())[:3]), axis=0, dtype=np.uint32)
    assert chi_square(some_of_them) < 255 + 6 * 22.6


def test_each_round_has_masks_of_its_own():
    first, second = little_sum().share().mask(), little_sum().share().mask()
    assert not np.intersect1d(first.vectors["city-0/metro"], second.vectors["city-0/metro"]).size


def test_streams_are_those_of_chacha20():
    """First block of RFC 8439, A.1, test vector 1: key and nonce zero."""
    assert stream(bytes(32), 2).tobytes().hex() == "76b8e0ada0f13d90"


def test_fewer_shares_than_the_threshold_give_nothing():
    secret = bytes(range(32))
    shares = dict(enumerate(split_secret(secret, 3, 5), 1))
    assert join_secret({at: shares[at] for at in (2, 4, 5)}, 3) == secret
    with pytest.raises(ValueError, match="2 shares, 3 are needed"):
        join_secret({1: shares[1], 2: shares[2]}, 3)
    forged = {**shares, 1: bytes(33)}
    assert join_secret(forged, 3) != secret
    assert all(pow(base, PRIME - 1, PRIME) == 1 for base in (2, 3, 5, 7, 11, 13, 17))


@pytest.mark.parametrize("wrong", [(b"short", 1, 2), (bytes(32), 3, 2), (bytes(32), 0, 2)])
def test_what_cannot_be_shared_is_refused(wrong):
    with pytest.raises(ValueError, match="threshold"):
        split_secret(*wrong)


def refused(match):
    return pytest.raises(SecureSumError, match=match)


@pytest.mark.parametrize(
    ("spoil", "match"),
    [(np.nan, "not finite"), (np.inf, "not finite"), (1e30, "reach 1e"), (-65.0, "reach 65")],
)
def test_values_that_no_sum_holds_do_not_leave(spoil, match):
    one = little_sum().share()
    one.values["city-0/metro"][3] = spoil
    with refused(match):
        one.mask()


def test_two_members_are_refused_and_three_of_whom_one_weighs_nothing():
    with refused("2 members, and a sum of two shows each the other's"):
        little_sum(2).share()
    weights = {"city-0/metro": 1.0, "city-1/metro": 1.0, "city-2/metro": 1e-6}
    with refused("2 of 3 members weigh a ninth"):
        little_sum(3, weights=weights).share()


def test_a_crowd_that_weighs_nothing_hides_nobody():
    """Twelve members of whom three count: the sum would nearly be the heaviest one's part."""
    names = [f"city-{index}/metro" for index in range(12)]
    weights = dict.fromkeys(names, 1e-12) | {names[0]: 1.0, names[1]: 1 / 9, names[2]: 1 / 9}
    with refused("3 of 12 members weigh a ninth of the heaviest or more, and 9 must"):
        little_sum(12, weights=weights).share()


@pytest.mark.parametrize("weight", [0.0, -1.0, 1.5, np.nan])
def test_weights_out_of_range_are_refused(weight):
    names = [f"city-{index}/metro" for index in range(4)]
    with refused("weights must lie within"):
        little_sum(4, weights={**dict.fromkeys(names, 1.0), names[2]: weight}).share()


def test_keys_of_another_round_or_of_the_coordinator_are_refused():
    one = little_sum(4)
    again = little_sum(4, name=one.name._replace(round=2))
    again.identities = one.identities
    stale = {**one.roster.keys, "city-1/metro": again.roster.keys["city-1/metro"]}
    own = one.keyed["city-0/metro"]
    with refused("not signed by it for round 3"):
        own.share(replace(one.roster, keys=stale), one.identities)
    with refused("the roster is of round 2"):
        own.share(again.roster, one.identities)
    with refused("no identity here"):
        own.share(one.roster, {"city-0/metro": one.identities["city-0/metro"]})


def test_a_roster_with_other_keys_of_ones_own_is_refused():
    one, other = little_sum(4), little_sum(4)
    keys = {**one.roster.keys, "city-0/metro": other.roster.keys["city-0/metro"]}
    with refused("has other keys for city-0/metro"):
        one.keyed["city-0/metro"].share(replace(one.roster, keys=keys), one.identities)


def test_too_few_that_shared_and_foreign_shares_are_refused():
    one = little_sum().share()
    state, values = one.sharing["city-0/metro"], one.values["city-0/metro"]
    sealed = one.sealed_for("city-0/metro")
    with refused("6 of 10 members have shared their secrets, and 7 are needed"):
        state.mask(values, dict(list(sealed.items())[:5]))
    with refused("mars cannot have sealed"):
        state.mask(values, {**sealed, "mars": b""})


def test_fewer_than_the_threshold_get_no_share_and_no_sum():
    one = little_sum().share()
    one.mask(list(one.values)[:6])
    for state in one.masked.values():
        with refused("6 of 10 members are in the sum"):
            state.unmask(set(one.vectors))
    one.shares = {}
    with refused("0 of 10 members stayed, and 7 are needed"):
        one.mean()


def test_a_member_gives_one_secret_of_each_other_never_both():
    one = little_sum().share().mask()
    stayed = set(one.vectors) - {"city-9/metro"}
    given = one.masked["city-0/metro"].unmask(stayed)
    shared = one.masked["city-0/metro"].shares
    for member, share in given.items():
        seed, key = shared[member][:33], shared[member][33:]
        assert share == (seed if member in stayed else key)
    with refused("with or without city-9/metro"):
        one.masked["city-9/metro"].unmask(stayed)
    with refused("mars cannot be in the sum"):
        one.masked["city-0/metro"].unmask({*stayed, "mars"})


def test_half_asked_for_one_secret_and_half_for_the_other_give_neither():
    """A coordinator that shows members different survivors gets five shares of each, not seven."""
    one = little_sum().share().mask()
    everybody, victim = set(one.vectors), "city-9/metro"
    names = [name for name in one.vectors if name != victim]
    given = [one.masked[name].unmask(everybody) for name in names[:5]]
    given += [one.masked[name].unmask(everybody - {victim}) for name in names[5:]]
    seed_shares = [one.masked[name].shares[victim][:33] for name in names]
    seeds = sum(part[victim] == seed for part, seed in zip(given, seed_shares, strict=True))
    assert seeds == 5
    assert len(names) - seeds < one.roster.threshold
    assert seeds < one.roster.threshold


def test_different_rosters_for_two_members_do_not_cancel():
    one = little_sum(4)
    other = Roster(one.name, one.roster.keys, {**one.weights, "city-3/metro": 0.9})
    one.share()
    one.sharing["city-0/metro"], _ = one.keyed["city-0/metro"].share(other, one.identities)
    one.mask().unmask()
    with refused("do not give the secret that it committed"):
        one.mean()


def test_a_wrong_share_is_noticed():
    one = little_sum(4).share().mask().unmask()
    one.shares["city-0/metro"]["city-1/metro"] = bytes(32) + b"\x01"
    with refused("a member gave a wrong share"):
        one.mean()


def test_a_share_that_cannot_be_read_costs_only_itself():
    one = little_sum().share()
    one.sealed["city-1/metro"]["city-0/metro"] = b"noise"
    found = one.mask().unmask().mean()
    assert np.abs(found - plain_mean(one, list(one.values))).max() < 1e-5
    assert "city-1/metro" not in one.shares["city-0/metro"]


def test_a_member_that_sends_noise_is_noticed_in_the_sum():
    one = little_sum().share().mask()
    noise = np.random.default_rng(1).integers(0, 2**32, 50, np.uint32)
    one.vectors["city-0/metro"] = noise
    with refused("beyond what members within 64"):
        one.unmask().mean()
