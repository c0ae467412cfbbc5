"""Deep data as they leave: slower, clipped, with noise, quantised, and only what moved.

Noise is drawn by a key from a time: whoever asks for the deep data of that time again gets the same
numbers, and cannot average the noise away (memoised answers: Erlingsson et al. 2014, RAPPOR). A
stream still averages over times that are alike; `deepcity audit` measures by how much. No epsilon
is claimed for it: neighbouring inputs may move activations by their whole range.

Shapes: B times in order, C cells, D numbers of a cell's deep data.
"""

import hashlib

import numpy as np

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.privacy.defences.settings import Defences

KEY_BYTES = 32
"""Of the secret that noise is drawn by."""


def release_times(times_B: Ints, defences: Defences) -> Ints:
    """The times whose deep data are released for these: the newest of the slower grid.

    >>> release_times(np.array([3600, 7200, 10800]), Defences(cadence_s=7200))
    array([   0, 7200, 7200])
    """
    if not defences.cadence_s:
        return times_B
    return np.asarray(times_B - times_B % defences.cadence_s)


def release(vectors_BCD: Floats, times_B: Ints, defences: Defences, key: bytes) -> Floats:
    """Clipped, with noise and quantised, between -1 and 1 as before.

    Args:
        times_B: of the vectors, UTC seconds.
        key: the agency's secret; whoever has it can take the noise off.
    """
    if defences.clip == 1 and not defences.noise and not defences.bits:
        return vectors_BCD
    clip = defences.clip
    found = np.clip(vectors_BCD, -clip, clip)
    if defences.noise:
        found = found + np.float32(defences.noise * clip) * _noise(found.shape[1:], times_B, key)
        found = np.clip(found, -clip, clip)
    return quantise(found, defences.bits, clip)


def release_stream(
    vectors_BCD: Floats, known_BC: Bools, times_B: Ints, defences: Defences, key: bytes
) -> Floats:
    """`release`, and then only what moved: what a receiver has at each of these times."""
    found = release(vectors_BCD, times_B, defences, key)
    return hold_small_moves(found, known_BC, times_B, defences)


def quantise(values: Floats, bits: int, clip: float = 1.0) -> Floats:
    """Each as the nearest of 2**bits evenly spaced values from -clip to clip.

    >>> quantise(np.array([-0.9, -0.1, 0.7], np.float32), 1)
    array([-1., -1.,  1.], dtype=float32)
    """
    if not bits:
        return np.asarray(values, np.float32)
    step = 2 * clip / (2**bits - 1)
    return np.asarray(np.rint((values + clip) / step) * step - clip, np.float32)


def hold_small_moves(
    vectors_BCD: Floats, known_BC: Bools, times_B: Ints, defences: Defences
) -> Floats:
    """What a receiver has where only cells that moved are sent (send-on-delta, Miskowicz 2006)."""
    if not defences.min_change or not len(times_B):
        return vectors_BCD
    found = vectors_BCD.copy()
    sent_CD, sent_C = vectors_BCD[:1][0].copy(), times_B[:1].repeat(vectors_BCD.shape[1])
    known_C = known_BC[0].copy()
    for row in range(1, len(times_B)):
        held_C = stays(vectors_BCD[row], sent_CD, times_B[row] - sent_C, defences)
        held_C &= known_C & known_BC[row]
        found[row, held_C] = sent_CD[held_C]
        sent_CD[~held_C], sent_C[~held_C] = vectors_BCD[row, ~held_C], times_B[row]
        known_C[~held_C] = known_BC[row, ~held_C]
    return found


def stays(now_CD: Floats, sent_CD: Floats, age_C: Ints, defences: Defences) -> Bools:
    """Which cells' vectors need not be sent again, (C,)."""
    moved_C = np.abs(now_CD - sent_CD).max(axis=-1, initial=0)
    return np.asarray((moved_C <= defences.min_change) & (age_C >= 0) & (age_C <= defences.hold_s))


def _noise(shape_CD: tuple[int, ...], times_B: Ints, key: bytes) -> Floats:
    drawn = [_generator(int(at), key).standard_normal(shape_CD, np.float32) for at in times_B]
    return np.asarray(drawn, np.float32).reshape(len(times_B), *shape_CD)


def _generator(at: int, key: bytes) -> np.random.Generator:
    digest = hashlib.blake2b(at.to_bytes(8, "big", signed=True), key=key, digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "big")))
