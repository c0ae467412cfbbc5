"""The coordinator's side of one sum: it takes off the masks of the whole, never of one member."""

from collections.abc import Mapping
from hashlib import sha256

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deepcity.city.arrays import Doubles
from deepcity.city.errors import SecureSumError
from deepcity.privacy.secure_sums.fixed_point import BOUND, Residues, from_residues
from deepcity.privacy.secure_sums.masks import own_mask, pair_mask
from deepcity.privacy.secure_sums.roster import Roster
from deepcity.privacy.secure_sums.shamir import SHARE_BYTES, join_secret


def opened_mean(
    roster: Roster,
    vectors: Mapping[str, Residues],
    sharers: frozenset[str],
    shares: Mapping[str, Mapping[str, bytes]],
) -> Doubles:
    """The weighted mean of the members that stayed.

    Args:
        vectors: member that stayed -> its masked vector, all of one size.
        sharers: members with whom all others have masks.
        shares: member that answered -> member -> its share of that one's seed or masking key.

    Raises:
        SecureSumError: if too few stayed or answered, a secret's shares do not fit, or the sum is
            not one of values within bounds.
    """
    if min(len(vectors), len(shares)) < roster.threshold:
        raise SecureSumError(
            f"{min(len(vectors), len(shares))} of {len(roster.members)} members stayed, and "
            f"{roster.threshold} are needed to open their sum. Ask again in the next round"
        )
    total_V: Residues = np.stack(list(vectors.values())).sum(axis=0, dtype=np.uint32)
    for member in sorted(sharers):
        secret = _secret(roster, member, shares)
        if member in vectors:
            total_V = total_V - _seed_mask(roster, member, secret, total_V.size)
        else:
            total_V = total_V + _left_masks(roster, member, secret, vectors, total_V.size)
    weight = sum(roster.weights[member] for member in vectors)
    mean_V = from_residues(total_V, len(roster.members)) / weight
    if (greatest := float(np.abs(mean_V).max(initial=0.0))) > BOUND * (1 + 1e-6):
        raise SecureSumError(
            f"the sum reaches {greatest:.3g}, beyond what members within {BOUND:g} can have: one "
            f"of them sent what is no masked vector, or they were shown different rosters"
        )
    return mean_V


def _secret(roster: Roster, member: str, shares: Mapping[str, Mapping[str, bytes]]) -> bytes:
    found = {
        roster.point(giver): given[member]
        for giver, given in shares.items()
        if len(given.get(member, b"")) == SHARE_BYTES
    }
    if len(found) < roster.threshold:
        raise SecureSumError(
            f"{len(found)} shares of a secret of {member} are known, and {roster.threshold} are "
            f"needed to open the sum. Ask again in the next round"
        )
    secret = join_secret(found, roster.threshold)
    if secret is None:
        raise _misfit(member)
    return secret


def _seed_mask(roster: Roster, member: str, seed: bytes, size: int) -> Residues:
    if sha256(seed).digest() != roster.keys[member].commitment:
        raise _misfit(member)
    return own_mask(seed, roster.digest, size)


def _left_masks(
    roster: Roster, member: str, secret: bytes, stayed: Mapping[str, Residues], size: int
) -> Residues:
    """What a member that left would have added for its pairs with those that stayed."""
    key = X25519PrivateKey.from_private_bytes(secret)
    if key.public_key().public_bytes_raw() != roster.keys[member].masking:
        raise _misfit(member)
    total_V = np.zeros(size, np.uint32)
    for other in sorted(stayed):
        total_V += pair_mask(key, member, roster.keys[other].masking, other, roster.digest, size)
    return total_V


def _misfit(member: str) -> SecureSumError:
    return SecureSumError(
        f"the shares of a secret of {member} do not give the secret that it committed itself to: "
        f"a member gave a wrong share. The round is lost; ask again in the next"
    )
