import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import CheckpointError
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.ledger import Ledger

names = st.sampled_from([COORDINATOR, "north", "centre", "south"])
payloads = st.lists(
    st.tuples(
        st.sampled_from(["train", "loss"]),
        names,
        names,
        st.dictionaries(st.sampled_from(["h1", "h2", "header"]), st.integers(0, 10**9)),
        st.integers(-1, 5),
    ),
    max_size=20,
)


def ledger_of(records) -> Ledger:
    ledger = Ledger()
    for verb, sender, receiver, sizes, number in records:
        ledger.record(verb, sender, receiver, sizes, round=number)
    return ledger


@given(payloads)
def test_every_sum_holds_every_byte_once(records):
    ledger = ledger_of(records)
    left = sum(sum(sizes.values()) for _, sender, _, sizes, _ in records if sender != COORDINATOR)
    got = sum(
        sum(sizes.values()) for _, _, receiver, sizes, _ in records if receiver != COORDINATOR
    )
    for view in (ledger.sent_by_layer(), ledger.sent_by_party()):
        assert sum(view.values()) == left
    for view in (ledger.received_by_layer(), ledger.received_by_party()):
        assert sum(view.values()) == got
    assert COORDINATOR not in ledger.sent_by_party()
    assert COORDINATOR not in ledger.received_by_party()
    assert ledger.total == sum(sum(sizes.values()) for *_, sizes, _ in records)


@given(payloads, payloads)
def test_resumed_ledger_counts_on_as_if_never_stopped(before, after):
    resumed = Ledger()
    resumed.restore(json.loads(json.dumps(ledger_of(before).snapshot())))
    for verb, sender, receiver, sizes, number in after:
        resumed.record(verb, sender, receiver, sizes, round=number)
    assert resumed.snapshot() == ledger_of(before + after).snapshot()


@pytest.mark.parametrize("rows", [[[1, "train"]], [["x"] * 6], [None], 3])
def test_nonsense_is_not_restored(rows):
    ledger = ledger_of([("train", "north", COORDINATOR, {"h1": 4}, 0)])
    with pytest.raises(CheckpointError, match="Start the run anew"):
        ledger.restore(rows)
    assert ledger.total == 4
