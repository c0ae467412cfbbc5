"""Are simulated people as easily taken for a child as real people are?

Similarity (cosine) of a child's picture by one camera to pictures of others by other cameras: real
people whom no child wears, and simulated passers-by who wear these in part. The upper end counts:
those are who stand before the right one in a ranking.

    python -m benchmarks.time_to_find.likeness

Shapes: Q queries, I pictures, R tracks.
"""

import numpy as np

from benchmarks.record import record
from benchmarks.time_to_find.networks import APART, GIVEN, networks
from benchmarks.time_to_find.wearers import child_identities, embedded
from deepcity.city.arrays import Bools, Doubles, Floats, Indices, Ints
from deepcity.simulation.cameras.recording import NOBODY, SimulatedTracks
from deepcity.simulation.pictures import EmbeddedPictures
from deepcity.simulation.wardrobe import OWN_LOOK, Wardrobe, Wearers

_TRACKS = 40_000
_LEVELS = (0.5, 0.9, 0.99, 0.999, 0.9999)
_LOOKS = (0.0, OWN_LOOK, 1.0)


def main() -> None:
    """Print and record."""
    plain = embedded("0288")
    rows = "".join(
        _rows(title, EmbeddedPictures(embedding_IE, plain.person_I, plain.camera_I))
        for title, embedding_IE in (
            ("given (0288)", networks(GIVEN, 0).picture_IE[0]),
            ("learned apart (north)", networks(APART, 0).picture_IE[0]),
        )
    )
    text = (
        "## Are simulated people as confusable as real ones\n\n"
        "`python -m benchmarks.time_to_find.likeness`. Cosine of 60 children's pictures to those "
        "of others by other cameras, by quantile: 140 real people, and "
        f"{_TRACKS:,} simulated passers-by who wear them with an own look of 0, "
        f"{OWN_LOOK:g} (what the simulated world uses) or 1. Last row: the children's own pictures "
        "by other cameras.\n\n"
        f"| network | people | {' | '.join(f'{100 * level:g} %' for level in _LEVELS)} |\n"
        f"|---|---|{'---:|' * len(_LEVELS)}\n{rows}"
    )
    print(text)
    record("time-to-find-likeness", text)


def _rows(title: str, pictures: EmbeddedPictures) -> str:
    child_ids = child_identities(pictures)
    is_child_I = np.isin(pictures.person_I, child_ids)
    query = np.flatnonzero(is_child_I & _first_of_each(pictures))
    real = _similarity(pictures, query, pictures.embedding_IE[~is_child_I])
    real = real[pictures.camera_I[query][:, None] != pictures.camera_I[~is_child_I][None]]
    own = _similarity(pictures, query, pictures.embedding_IE)
    own = own[
        (pictures.person_I[query][:, None] == pictures.person_I[None])
        & (pictures.camera_I[query][:, None] != pictures.camera_I[None])
    ]
    lines = [_line(title, "real", real)]
    for look in _LOOKS:
        found_RE, camera_R = _simulated(pictures, np.setdiff1d(pictures.person_I, child_ids), look)
        some = _similarity(pictures, query, found_RE)
        apart = pictures.camera_I[query][:, None] != camera_R[None]
        lines.append(_line(title, f"simulated, own look {look:g}", some[apart]))
    return "".join([*lines, _line(title, "the children themselves", own)])


def _simulated(pictures: EmbeddedPictures, worn: Ints, look: float) -> tuple[Floats, Ints]:
    """Embeddings of one track each of many passers-by, and the real camera of each."""
    rng = np.random.default_rng(5)
    nobody = np.zeros(_TRACKS)
    camera_R = rng.integers(0, 6, _TRACKS)
    person_R = np.arange(_TRACKS)
    other_R = np.full(_TRACKS, NOBODY)
    tracks = SimulatedTracks(camera_R, nobody, nobody, nobody, nobody, person_R, other_R, person_R)
    none = np.zeros(_TRACKS, np.int64)
    wearers = Wearers(rng.choice(worn, _TRACKS), none > 0, none, np.arange(1, 7), 5)
    return Wardrobe(pictures, wearers, look).embeddings(tracks), camera_R + 1


def _similarity(pictures: EmbeddedPictures, query: Indices, shown: Floats) -> Floats:
    return np.asarray(pictures.embedding_IE[query] @ shown.T)


def _first_of_each(pictures: EmbeddedPictures) -> Bools:
    pairs = np.stack([pictures.person_I, pictures.camera_I])
    found = np.zeros(len(pictures.person_I), bool)
    found[np.unique(pairs, axis=1, return_index=True)[1]] = True
    return found


def _line(network: str, people: str, found: Floats | Doubles) -> str:
    values = " | ".join(f"{value:.2f}" for value in np.quantile(found, _LEVELS))
    return f"| {network} | {people} | {values} |\n"


if __name__ == "__main__":
    main()
