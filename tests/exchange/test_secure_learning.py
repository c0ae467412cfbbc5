"""Secure sums over real learners and a wire of half precision."""

from dataclasses import replace

import numpy as np
from test_rounds import Together

from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.rounds import learn_together
from deepcity.exchange.secure.summing_party import secured


def test_learners_learn_together_by_secure_sums_on_a_wire_of_half_precision():
    together = Together({"a": 6, "b": 6, "c": 6}, rounds=2)
    around = InProcessExchange(secured(together.heard, "bikes"), precision="float16")
    found = learn_together(around, replace(together.plan, secure="bikes"))
    assert not any(found.failures)
    assert np.mean(list(found.errors[-1].values())) < np.mean(list(found.errors[0].values()))
    plain_bytes = sum(part.nbytes for part in together.layers("a")["h1"].values()) * 3 * 2
    assert around.ledger.sent_by_layer()["h1"] == plain_bytes  # four bytes a value
