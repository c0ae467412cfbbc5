"""A map whose parties send the greatest moves of their layers alone."""

from little_map import service, three

from deepcity.intercity.method import Method
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs.trainings import train_parties


def test_a_tenth_of_the_moves_travels_up_and_everything_comes_down(tmp_path):
    path = three(tmp_path).write(
        service(rounds=2, local_steps=2, more="[service.wire]\nkeep = 0.1\n")
    )
    only = load_map(path).services[0]
    parties = parties_of(only)
    method = Method("joined", dict.fromkeys([party.name for party in parties], 6))
    training, _ = train_parties(only.settings, parties, 1, method)
    assert not any(training.progress.failures)
    ledger = training.ledger
    assert ledger.sent_by_layer()["h1"] < 0.2 * ledger.received_by_layer()["h1"]
