"""How 100,000 simulated people look, by the embeddings of a few hundred real ones.

A lost child wears one real identity: its tracks are real pictures of that person, by a real camera
that stands for the simulated one, never the one that took the query's picture. The other people are
more than there are identities, and two who wore the same one could not be told apart by anything.
So each passer-by wears one real identity in part and a look of their own for the rest, drawn with
the covariance of the real identities' means (a smoothed bootstrap; Silverman & Young 1987, "The
bootstrap: to smooth or not to smooth?", Biometrika 74); spread and directions between people stay
as they are among real ones. What differs between two tracks of one passer-by is real: the
difference of a real picture from the mean of its person, by the camera that stands for the
simulated one.

What is not: a Gaussian look has no twins in the same uniform beyond those of the real identities,
and real pictures of one camera share its streets and season. `benchmarks.time_to_find.likeness`
measures whether such passers-by are as easily taken for a child as real people are.

Shapes: I pictures, J identities, E numbers of an embedding, Q persons, C simulated cameras,
R tracks, K real cameras.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.simulation.cameras.recording import NOBODY, SimulatedTracks
from deepcity.simulation.pictures import EmbeddedPictures

OWN_LOOK = 0.3
"""Share of the variance between people that is a passer-by's own look, not the identity's."""


@dataclass(frozen=True, eq=False)
class Wearers:
    """Who wears what; the same whichever network embeds it.

    Attributes:
        identity_Q: number of the real person that each simulated one wears.
        real_Q: whether they wear it as it is (lost children).
        held_Q: real camera whose pictures their tracks never show (the query's), or 0.
        camera_C: real camera that stands for each simulated one.
        seed: of own looks and of the pictures of tracks.
    """

    identity_Q: Ints
    real_Q: np.ndarray
    held_Q: Ints
    camera_C: Ints
    seed: int


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """What people look like to one network.

    Attributes:
        pictures: by that network, of all identities that are worn.
        own_look: 0 (everybody is one of the identities) to 1.

    Raises:
        ValueError: if a worn identity has no picture, or `own_look` is no share.
    """

    pictures: EmbeddedPictures
    wearers: Wearers
    own_look: float = OWN_LOOK

    def __post_init__(self) -> None:
        if not 0 <= self.own_look <= 1:
            raise ValueError(f"own_look {self.own_look:g}; give a share from 0 to 1")
        worn = np.unique(self.wearers.identity_Q)
        if len(missing := np.setdiff1d(worn, self.pictures.person_I)):
            raise ValueError(
                f"no picture of {len(missing)} identities that are worn: {missing[:5]}"
            )

    def embeddings(self, tracks: SimulatedTracks) -> Floats:
        """(R, E) of unit length, one of each track; the same for the same tracks."""
        rng = np.random.default_rng([self.wearers.seed, 1, len(tracks.camera_R)])
        identity_J, mean_JE = _means(self.pictures)
        centre_QE = self._centres(identity_J, mean_JE)
        shown_RE = self._shown(tracks.person_R, tracks, centre_QE, identity_J, mean_JE, rng)
        mixed = np.flatnonzero(tracks.other_R != NOBODY)
        some = tracks.of(mixed)
        other_RE = self._shown(some.other_R, some, centre_QE, identity_J, mean_JE, rng)
        shown_RE[mixed] = (shown_RE[mixed] + other_RE) / 2
        return _unit(shown_RE)

    def _centres(self, identity_J: Ints, mean_JE: Doubles) -> Floats:
        """(Q, E) what each looks like on average; the last row is of nobody."""
        rng = np.random.default_rng([self.wearers.seed, 0])
        all_E = mean_JE.mean(axis=0)
        spread_JE = (mean_JE - all_E).astype(np.float32)
        worn_Q = np.searchsorted(identity_J, self.wearers.identity_Q)
        own = np.where(self.wearers.real_Q, 0.0, self.own_look).astype(np.float32)[:, None]
        factor_QJ = rng.standard_normal((len(worn_Q) + 1, len(mean_JE)), np.float32)
        look_QE = factor_QJ @ spread_JE / np.float32(np.sqrt(max(len(mean_JE) - 1, 1)))
        people_QE = np.sqrt(1 - own) * spread_JE[worn_Q] + np.sqrt(own) * look_QE[:-1]
        return np.asarray(np.concatenate([people_QE, look_QE[-1:]]) + all_E, np.float32)

    def _shown(
        self,
        person_R: Ints,
        tracks: SimulatedTracks,
        centre_QE: Floats,
        identity_J: Ints,
        mean_JE: Doubles,
        rng: np.random.Generator,
    ) -> Floats:
        """(R, E) a person's look and the difference of one real picture from its person's mean."""
        wearers = self.wearers
        picture_R = self._picture_of(person_R, wearers.camera_C[tracks.camera_R], rng)
        person_I = np.searchsorted(identity_J, self.pictures.person_I)
        off_RE = self.pictures.embedding_IE[picture_R] - mean_JE[person_I[picture_R]]
        return np.asarray(centre_QE[person_R] + off_RE, np.float32)

    def _picture_of(self, person_R: Ints, camera_R: Ints, rng: np.random.Generator) -> Ints:
        """(R,) a picture of the identity by the real camera, or if there is none: of a person
        worn as they are by another camera, else of another identity by that camera.
        """
        wearers = self.wearers
        identity_R = np.where(person_R == NOBODY, -1, wearers.identity_Q[person_R])
        real_R = (person_R != NOBODY) & wearers.real_Q[person_R]
        held_R = np.where(real_R, wearers.held_Q[person_R], 0)
        own_R = _choose(self.pictures, identity_R, camera_R, held_R, rng)
        anyhow_R = _choose(self.pictures, identity_R, None, held_R, rng)
        by_camera_R = _choose(self.pictures, None, camera_R, np.zeros_like(held_R), rng)
        found_R = np.where(own_R >= 0, own_R, np.where(real_R, anyhow_R, by_camera_R))
        return np.where(found_R >= 0, found_R, rng.integers(0, len(self.pictures.person_I)))


def _choose(
    pictures: EmbeddedPictures,
    identity_R: Ints | None,
    camera_R: Ints | None,
    held_R: Ints,
    rng: np.random.Generator,
) -> Ints:
    """(R,) any picture of an identity, by a camera, or both; -1 where there is none."""
    cameras = int(pictures.camera_I.max()) + 1
    key_I, key_R = np.zeros(len(pictures.person_I), np.int64), np.zeros(len(held_R), np.int64)
    if identity_R is not None:
        key_I, key_R = pictures.person_I * cameras, identity_R * cameras
    if camera_R is not None:
        key_I, key_R = key_I + pictures.camera_I, key_R + camera_R
    order_I = np.argsort(key_I, kind="stable")
    sorted_I = key_I[order_I]
    start_R = np.searchsorted(sorted_I, key_R)
    count_R = np.searchsorted(sorted_I, key_R, side="right") - start_R
    found_R = np.full(len(held_R), -1)
    open_R = count_R > 0
    for _ in range(20):  # of few pictures some are held back: look again
        rows = np.flatnonzero(open_R)
        if not len(rows):
            break
        picked = order_I[start_R[rows] + (rng.random(len(rows)) * count_R[rows]).astype(np.int64)]
        good = pictures.camera_I[picked] != held_R[rows]
        found_R[rows[good]] = picked[good]
        open_R[rows[good]] = False
    return found_R


def _means(pictures: EmbeddedPictures) -> tuple[Ints, Doubles]:
    """Identities, and the mean embedding of each."""
    identity_J, row_I = np.unique(pictures.person_I, return_inverse=True)
    sum_JE = np.zeros((len(identity_J), pictures.embedding_IE.shape[1]))
    np.add.at(sum_JE, row_I, pictures.embedding_IE)
    return identity_J, np.asarray(sum_JE / np.bincount(row_I)[:, None])


def _unit(embedding_RE: Floats) -> Floats:
    length_R1 = np.linalg.norm(embedding_RE, axis=1, keepdims=True)
    return np.asarray(embedding_RE / np.where(length_R1 > 0, length_R1, 1.0), np.float32)
