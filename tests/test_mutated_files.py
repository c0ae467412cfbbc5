"""What parties hand each other is refused by name when it was mutated, or is what it was."""

import random

import pytest

from benchmarks.mutated_files.__main__ import CHANGED, NOT_FINITE, UNNAMED, cases, ending, traps

EACH = 12


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    (folder / "town").mkdir()
    return cases(folder)


def test_no_mutated_file_is_taken_for_right_or_fails_without_a_name(known, tmp_path):
    draw, wrong = random.Random(5), []
    for name, write, use, whole, may_change in known:
        for number in range(EACH):
            folder = tmp_path / f"{name} {number}"
            folder.mkdir()
            found = ending(use, write(folder, draw), whole, may_change=may_change)
            if found.startswith((CHANGED, UNNAMED, NOT_FINITE)):
                wrong.append(f"{name}: {found}")
    assert not wrong


def test_a_sparse_file_of_100_gb_a_pipe_and_a_lying_header_are_refused(known, tmp_path):
    for _, _, use, _, _ in known[:12:4]:  # layers, encoder, fused
        assert set(traps(tmp_path, use).values()) == {"refused"}
