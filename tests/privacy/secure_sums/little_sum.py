"""One secure sum among parties, without any transport; each step's state is there to look at."""

from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepcity.privacy.secure_sums.member import KeyedMember
from deepcity.privacy.secure_sums.opened_sum import opened_mean
from deepcity.privacy.secure_sums.roster import Roster
from deepcity.privacy.secure_sums.signed_keys import SumName

NAME = SumName("bikes.level6", 3, "h1+h2")


@dataclass
class LittleSum:
    """Members of one sum up to the point where their vectors have left."""

    values: dict
    weights: dict
    name: SumName = NAME
    identities: dict = field(default_factory=dict)

    def __post_init__(self):
        self.private = {party: Ed25519PrivateKey.generate() for party in self.values}
        self.identities = {
            party: key.public_key().public_bytes_raw() for party, key in self.private.items()
        }
        self.keyed = {
            party: KeyedMember.begin(party, self.name, key) for party, key in self.private.items()
        }
        keys = {party: one.public for party, one in self.keyed.items()}
        self.roster = Roster(self.name, keys, self.weights)

    def share(self):
        done = {party: one.share(self.roster, self.identities) for party, one in self.keyed.items()}
        self.sharing = {party: state for party, (state, _) in done.items()}
        self.sealed = {party: shares for party, (_, shares) in done.items()}
        return self

    def sealed_for(self, party):
        return {one: shares[party] for one, shares in self.sealed.items() if one != party}

    def mask(self, stayed=None):
        stayed = list(self.values) if stayed is None else stayed
        done = {
            party: self.sharing[party].mask(self.values[party], self.sealed_for(party))
            for party in stayed
        }
        self.masked = {party: state for party, (state, _) in done.items()}
        self.vectors = {party: vector for party, (_, vector) in done.items()}
        return self

    def unmask(self):
        stayed = set(self.vectors)
        self.shares = {party: state.unmask(stayed) for party, state in self.masked.items()}
        return self

    def mean(self):
        return opened_mean(self.roster, self.vectors, frozenset(self.values), self.shares)


def little_sum(members=10, size=50, seed=0, weights=None, **how):
    rng = np.random.default_rng(seed)
    names = [f"city-{index}/metro" for index in range(members)]
    values = {name: rng.normal(size=size).astype(np.float32) for name in names}
    weights = weights or dict.fromkeys(names, 1.0)
    return LittleSum(values, weights, **how)
