from dataclasses import replace

import numpy as np
import pytest
from street_world import small_day

from deepcity.simulation.cameras.recording import NOBODY, SimulatedTracks
from deepcity.simulation.pictures import EmbeddedPictures, synthetic_pictures
from deepcity.simulation.wardrobe import Wardrobe, Wearers

PICTURES = synthetic_pictures(40, 4, 0)


def tracks(person_R, camera_R=None, other_R=None):
    size = len(person_R)
    none = np.zeros(size)
    camera_R = np.zeros(size, np.int64) if camera_R is None else camera_R
    other_R = np.full(size, NOBODY) if other_R is None else other_R
    return SimulatedTracks(camera_R, none, none, none, none, person_R, other_R, np.arange(size))


def wearers(identity_Q, real=False, held=0, camera_C=(1, 2, 3, 4)):
    size = len(identity_Q)
    return Wearers(
        np.array(identity_Q), np.full(size, real), np.full(size, held), np.array(camera_C), 5
    )


def test_a_child_wears_real_pictures_by_the_camera_that_stands_for_the_simulated_one():
    camera_R = np.arange(4).repeat(50)
    wardrobe = Wardrobe(PICTURES, wearers([7], real=True))
    shown_RE = wardrobe.embeddings(tracks(np.zeros(200, np.int64), camera_R))
    for camera in range(4):
        own_I = (PICTURES.person_I == 7) & (PICTURES.camera_I == camera + 1)
        likeness = shown_RE[camera_R == camera] @ PICTURES.embedding_IE[own_I].T
        np.testing.assert_allclose(likeness.max(axis=1), 1.0, atol=1e-5)
        assert len(np.unique(likeness.argmax(axis=1))) == 3


def test_the_querys_camera_never_shows_a_child_again():
    wardrobe = Wardrobe(PICTURES, wearers([7], real=True, held=1))
    shown_RE = wardrobe.embeddings(tracks(np.zeros(200, np.int64)))
    held_I = (PICTURES.person_I == 7) & (PICTURES.camera_I == 1)
    assert (shown_RE @ PICTURES.embedding_IE[held_I].T).max() < 1 - 1e-4
    other_I = (PICTURES.person_I == 7) & (PICTURES.camera_I != 1)
    likeness = shown_RE @ PICTURES.embedding_IE[other_I].T
    np.testing.assert_allclose(likeness.max(axis=1), 1.0, atol=1e-5)


def test_passers_by_who_wear_one_identity_are_people_of_their_own():
    person_R = np.arange(300).repeat(2)  # two tracks each, and all wear the same
    same = wearers(np.full(300, 7))
    shown_RE = Wardrobe(PICTURES, same).embeddings(tracks(person_R))
    like_RR = shown_RE @ shown_RE.T
    own = like_RR[np.arange(0, 600, 2), np.arange(1, 600, 2)]
    others = like_RR[np.triu_indices(600, 2)]
    assert own.mean() > others.mean() + 0.1
    alike_RE = Wardrobe(PICTURES, same, own_look=0.0).embeddings(tracks(person_R))
    like_RR = alike_RE @ alike_RE.T
    own = like_RR[np.arange(0, 600, 2), np.arange(1, 600, 2)]
    assert abs(own.mean() - like_RR[np.triu_indices(600, 2)].mean()) < 0.05


def test_people_are_spread_as_the_real_ones_are():
    identity_Q = np.random.default_rng(0).integers(0, 40, 3000)
    shown_RE = Wardrobe(PICTURES, wearers(identity_Q)).embeddings(tracks(np.arange(3000)))
    real_IE = PICTURES.embedding_IE[PICTURES.camera_I == 1]
    real, simulated = np.cov(real_IE.T), np.cov(shown_RE.T)
    assert np.trace(simulated) == pytest.approx(np.trace(real), rel=0.1)
    order = np.linalg.eigvalsh(real)[::-1], np.linalg.eigvalsh(simulated)[::-1]
    np.testing.assert_allclose(order[1][:8], order[0][:8], rtol=0.25)


def test_a_mixed_track_lies_between_two_people():
    wear = wearers([3, 9], real=True)
    mixed = tracks(np.zeros(50, np.int64), other_R=np.ones(50, np.int64))
    shown_RE = Wardrobe(PICTURES, wear).embeddings(mixed)
    for person in (3, 9):
        own_I = (PICTURES.person_I == person) & (PICTURES.camera_I == 1)
        likeness = (shown_RE @ PICTURES.embedding_IE[own_I].T).max(axis=1)
        assert 0.4 < likeness.mean() < 0.95


def test_tracks_of_nobody_look_like_no_child():
    wear = wearers([3], real=True)
    nobody = tracks(np.full(100, NOBODY))
    shown_RE = Wardrobe(PICTURES, wear).embeddings(nobody)
    own_I = PICTURES.person_I == 3
    assert (shown_RE @ PICTURES.embedding_IE[own_I].T).mean() < 0.5
    np.testing.assert_allclose(np.linalg.norm(shown_RE, axis=1), 1.0, atol=1e-5)


def test_the_same_tracks_look_the_same_again():
    day = small_day()
    worn = np.random.default_rng(1).integers(0, 40, day.persons + len(day.children))
    cameras = np.random.default_rng(2).integers(1, 5, len(day.cameras.node_C))
    wardrobe = Wardrobe(PICTURES, wearers(worn, camera_C=cameras))
    first, again = wardrobe.embeddings(day.tracks), wardrobe.embeddings(day.tracks)
    np.testing.assert_array_equal(first, again)
    other = replace(wardrobe, wearers=replace(wardrobe.wearers, seed=6))
    assert (other.embeddings(day.tracks) != first).any()


def test_what_cannot_be_worn_is_refused():
    with pytest.raises(ValueError, match="no picture of 1 identities"):
        Wardrobe(PICTURES, wearers([40]))
    with pytest.raises(ValueError, match=r"own_look 1\.5"):
        Wardrobe(PICTURES, wearers([0]), own_look=1.5)
    with pytest.raises(ValueError, match="one camera a picture"):
        EmbeddedPictures(PICTURES.embedding_IE, PICTURES.person_I[1:], PICTURES.camera_I)
    with pytest.raises(ValueError, match="NaN"):
        EmbeddedPictures(np.full((1, 3), np.nan, np.float32), np.zeros(1, int), np.ones(1, int))
