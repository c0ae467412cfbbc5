"""Alignment by anchors undoes a turn, and centres undo a light of each city's own."""

import numpy as np
import pytest

from deepcity.learning.identity.alignment import aligned, centred, rotation
from deepcity.learning.identity.retrieval import Sightings, find


def turned(seed: int, size: int = 8) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def test_a_turn_is_found_and_undone():
    anchors = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    turn = turned(1)
    found = rotation(anchors, (anchors @ turn).astype(np.float32))
    assert np.abs(found - turn).max() < 1e-5
    assert np.abs(found @ found.T - np.eye(8)).max() < 1e-9


def test_people_are_found_across_turned_embeddings_by_anchors_alone():
    rng = np.random.default_rng(2)
    people, anchors, turn = rng.normal(size=(30, 8)), rng.normal(size=(60, 8)), turned(3)
    number = np.arange(30)
    here = Sightings(centred(people.astype(np.float32)), number, np.full(30, 1))
    raw = Sightings(centred((people @ turn).astype(np.float32)), number, np.full(30, 2))
    assert find(raw, here).rank1 < 0.5
    mended = aligned(raw.embedding_IE, (anchors @ turn).astype(np.float32), anchors)
    assert find(Sightings(mended, number, raw.camera_I), here).rank1 > 0.95


def test_other_anchors_are_refused():
    with pytest.raises(ValueError, match="same pictures"):
        rotation(np.ones((3, 8), np.float32), np.ones((4, 8), np.float32))
