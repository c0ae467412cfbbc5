"""Merkle trees: known vectors of Certificate Transparency, and the definitions of RFC 9162."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.store.release_ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    proves_consistency,
    proves_inclusion,
    range_hashes,
)

VECTOR = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [  # of the first one to eight entries, as the Certificate Transparency project tests
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

sizes = st.integers(1, 70)


def leaves(count):
    return [leaf_hash(str(number).encode()) for number in range(count)]


def root(of):
    tree = Frontier()
    for leaf in of:
        tree.append(leaf)
    return tree.root()


def defined_root(of):
    """MTH of RFC 9162, 2.1.1."""
    if len(of) == 1:
        return of[0]
    split = 1
    while split * 2 < len(of):
        split *= 2
    return node_hash(defined_root(of[:split]), defined_root(of[split:]))


def inclusion(index, size):
    return range_hashes(leaves(size), inclusion_ranges(index, size))


def consistency(old, new):
    return range_hashes(leaves(new), consistency_ranges(old, new))


def test_roots_are_those_of_certificate_transparency():
    found = [leaf_hash(entry) for entry in VECTOR]
    assert [root(found[: size + 1]).hex() for size in range(len(VECTOR))] == ROOTS
    assert root([]) == EMPTY_ROOT


@given(sizes)
def test_roots_are_as_defined(size):
    assert root(leaves(size)) == defined_root(leaves(size))


@given(sizes, st.data())
def test_a_proof_holds_for_its_leaf_and_no_other(size, data):
    index = data.draw(st.integers(0, size - 1))
    path, of = inclusion(index, size), root(leaves(size))
    for number, leaf in enumerate(leaves(size)):
        for place in {number, index}:
            right = number == place == index
            assert proves_inclusion(leaf, place, size, path, of) == right
    for other in {size - 1, size + 1, 2 * size} - {size}:
        leaf = leaves(size)[index]
        same_way = len(inclusion_ranges(index, other)) == len(path) if index < other else False
        assert not proves_inclusion(leaf, index, other, path, of) or same_way


@given(sizes, st.data())
def test_an_edited_path_proves_nothing(size, data):
    index = data.draw(st.integers(0, size - 1))
    path, of, leaf = inclusion(index, size), root(leaves(size)), leaves(size)[index]
    assert not proves_inclusion(leaf, index, size, [*path, b"\0" * 32], of)
    assert not proves_inclusion(leaf, index, size, [*path, b"\0" * 31], of)
    assert not proves_inclusion(leaf, -1, size, path, of)
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        edited = [*path]
        edited[place] = bytes([edited[place][0] ^ 1]) + edited[place][1:]
        assert not proves_inclusion(leaf, index, size, edited, of)
        assert not proves_inclusion(leaf, index, size, path[:-1], of)


@given(sizes, sizes)
def test_a_tree_that_grew_is_consistent_and_another_is_not(one, two):
    old, new = sorted((one, two))
    path = consistency(old, new)
    before, after = root(leaves(old)), root(leaves(new))
    assert proves_consistency(old, new, before, after, path)
    other = root([leaf_hash(b"other"), *leaves(new)[1:]])
    assert not proves_consistency(old, new, other, after, path)
    assert not proves_consistency(old, new, before, other, path)
    assert not proves_consistency(0, new, before, after, path)
    assert not proves_consistency(new + 1, new, before, after, path)
    assert not proves_consistency(old, new, before, after, [*path, before])


@given(sizes, st.data())
def test_a_rewritten_history_has_no_proof(size, data):
    old = data.draw(st.integers(1, size))
    place = data.draw(st.integers(0, old - 1))
    rewritten = leaves(size)
    rewritten[place] = leaf_hash(b"rewritten")
    path = range_hashes(rewritten, consistency_ranges(old, size))
    assert not proves_consistency(old, size, root(leaves(old)), root(rewritten), path)


@given(sizes, st.lists(sizes, min_size=1, max_size=6))
def test_proofs_of_many_heads_are_made_in_one_pass(new, olds):
    """They share subtrees; each leaf is read once."""
    read = []
    paths = {old: consistency_ranges(old, new) for old in olds if old <= new}
    found = range_hashes(
        (read.append(leaf) or leaf for leaf in leaves(new)),
        [one for path in paths.values() for one in path],
    )
    assert len(read) <= new
    assert found == [one for old in paths for one in consistency(old, new)]


def test_numbers_beyond_the_tree_are_refused():
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_ranges(index, size)
    for old, new in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="does not begin"):
            consistency_ranges(old, new)
    with pytest.raises(ValueError, match="fewer than 5 leaves"):
        range_hashes(leaves(3), inclusion_ranges(0, 5))
    with pytest.raises(ValueError, match="1 to 3 is no range of a proof"):
        range_hashes(leaves(3), [(1, 3)])
