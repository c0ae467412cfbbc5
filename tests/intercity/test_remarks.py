"""What a run tells of those who failed while they learned together."""

from little_map import service, three

from deepcity.exchange.exchange import Failure
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.rounds import Progress
from deepcity.exchange.strategies import State
from deepcity.intercity.city_map import load_map
from deepcity.intercity.methods import Method, Outcome
from deepcity.intercity.parties import parties_of
from deepcity.intercity.remarks import service_remarks


def test_who_failed_in_a_round_is_told_with_how_often_and_the_last_reason(tmp_path):
    only = load_map(three(tmp_path).write(service())).services[0]
    parties = parties_of(only)
    weights = {party.name: 1.0 for party in parties}
    failures = (
        (Failure("east/north", "asleep"),),
        (Failure("east/north", "disk full"), Failure("west/office", "gone")),
        (),
    )
    progress = Progress(2, State({}), {}, weights, failures=failures)
    method = Method("level_6", dict.fromkeys(weights, 6))
    outcome = Outcome(method, {}, progress, Ledger())
    said = service_remarks(only.settings, parties, None, outcome)
    assert [remark.en for remark in said] == [
        "east/north failed in 2 of 3 meetings, and was left out there: disk full",
        "west/office failed in 1 of 3 meetings, and was left out there: gone",
    ]
    assert "모임 3번 가운데 2번" in said[0].ko
