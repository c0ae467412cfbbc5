"""A map with secure sums ends where the plain one does, to what fixed-point numbers round off."""

import numpy as np
from little_map import flows, service, three

from deepcity.exchange.coordinator import Coordinator
from deepcity.exchange.secure.drawn_groups import GroupDraw
from deepcity.intercity.method import Method
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs.trainings import train_parties


def trained(folder, more, levels):
    path = three(folder).write(service(rounds=1, local_steps=2, more=more))
    return joined(path, levels)


def joined(path, levels):
    only = load_map(path).services[0]
    parties = parties_of(only)
    method = Method("joined", dict(zip([party.name for party in parties], levels, strict=True)))
    return train_parties(only.settings, parties, 1, method)


def test_secure_and_plain_maps_end_alike(tmp_path):
    secure = "[service.strategy]\naggregation = 'secure'\n"
    for levels, sent in (((6, 6, 6), "head"), ((0, 0, 0), None)):
        folders = [tmp_path / f"{kind}-{levels[0]}" for kind in ("plain", "secure")]
        for folder in folders:
            folder.mkdir()
        expected, _ = trained(folders[0], "[service.wire]\nprecision = 'float32'\n", levels)
        found, learners = trained(
            folders[1], "[service.wire]\nprecision = 'float32'\n" + secure, levels
        )
        assert not any(found.progress.failures)
        assert (sent in found.ledger.sent_by_layer()) is (sent is not None)
        for layer, tensors in expected.progress.state.layers.items():
            for name, tensor in tensors.items():
                other = found.progress.state.layers[layer][name]
                assert np.abs(other - tensor).max(initial=0) < 1e-6
        assert len(learners) == 3


GROUPS = """
[service.strategy]
name = 'norm_clipping'
aggregation = 'secure'
group_size = 3
"""


def test_a_map_with_sums_within_groups_draws_them_by_its_seed(tmp_path, monkeypatch):
    little = three(tmp_path)
    for seed, name in enumerate(("east/mill", "west/mill", "west/other"), 3):
        little.party(name, flows(seed=seed, places=1))
    path = little.write(service(rounds=1, local_steps=2, more=GROUPS))
    train, plans = Coordinator.train, []

    def watched(self, name, plan, after_round):
        plans.append(plan)
        return train(self, name, plan, after_round)

    monkeypatch.setattr(Coordinator, "train", watched)
    training, _ = joined(path, (6,) * 6)
    assert plans[0].draw == GroupDraw(3, seed=1, least=2)
    assert not any(training.progress.failures)
    sums = {row[3] for row in training.ledger.snapshot() if row[1] == "sum_unmask"}
    assert len(sums - {"coordinator"}) == 6
