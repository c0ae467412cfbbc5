"""What a run tells of those who failed while they learned together."""

from little_map import service, three

from deepcity.exchange.coordinator import Training
from deepcity.exchange.exchange import Failure
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.rounds import Progress
from deepcity.exchange.strategies import StrategyState
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs.notes import service_notes
from deepcity.runs.site import Site
from deepcity.runs.trainings import profiles_of
from deepcity.web.report.notes import note


def test_who_failed_in_a_round_is_told_with_how_often_and_the_last_reason(tmp_path):
    only = load_map(three(tmp_path).write(service())).services[0]
    profiles = profiles_of([Site(only.settings, party, 0) for party in parties_of(only)])
    weights = dict.fromkeys(profiles, 1.0)
    failures = (
        (Failure("east/north", "asleep"),),
        (Failure("east/north", "disk full"), Failure("west/office", "gone")),
        (),
    )
    progress = Progress(2, StrategyState({}), {}, weights, failures=failures)
    training = Training(dict.fromkeys(weights, 6), progress, Ledger())
    said = [note(one) for one in service_notes(only.settings, profiles, None, training)]
    assert [one.en for one in said] == [
        "east/north failed in 2 of 3 rounds and was left out of them: disk full",
        "west/office failed in 1 of 3 rounds and was left out of them: gone",
    ]
    assert "라운드 3번 가운데 2번" in said[0].ko
