"""A meeting with an agency in a process of its own, killed while it works."""

import signal

import numpy as np
import pytest
from agent_process import AgencyProcess
from vertical_town import QUICK, agencies, application, exchange_of, parties, plan, town

from deepcity.maps.vertical_settings import Mode
from deepcity.vertical.training import forward_all, handshake, train_vertical

TOWN = town()
BRIEF = QUICK.model_copy(update={"rounds": 3, "local_steps": 2, "batch_size": 24})
NAMES = ("mill", "office")


@pytest.mark.parametrize(("verb", "killed_at"), [("forward", 5), ("backward", 6)])
def test_an_agency_whose_process_is_killed_in_mid_epoch_is_silent_and_the_rest_learn_on(
    verb, killed_at
):
    """kill -9 while it works on an answer; the application and the mill go on to the end."""
    mill = parties(agencies(TOWN, ["mill"], taught=0))["mill"]
    with AgencyProcess("office", killed_at) as office:
        exchange = exchange_of({"mill": mill, "office": office})
        feature_parties = handshake(exchange, NAMES)
        learner = application(TOWN, NAMES, settings=BRIEF, agency_dropout=0.3)
        history = train_vertical(
            exchange, feature_parties, learner, plan(TOWN, "block-wise", settings=BRIEF)
        )
        assert office.asked[killed_at - 1] == verb
        office.process.join(30)
        assert office.process.exitcode == -signal.SIGKILL
        times = TOWN.time_T[TOWN.validation_rows]
        deep, failed = forward_all(exchange, feature_parties, times)
    assert [{failure.party for failure in round_} for round_ in history.failures] == [
        set(), {"office"}, {"office"},
    ]  # fmt: skip
    assert np.isfinite(history.errors).all()
    assert [failure.party for failure in failed] == ["office"]
    assert "office failed at 'forward'" in failed[0].reason
    assert np.isfinite(learner.predict(learner.validation, deep)).all()


def test_an_agency_in_a_process_of_its_own_learns_as_one_that_is_here():
    """Nothing but messages passes between it and the application."""
    learned = []
    with AgencyProcess("office") as office:
        for handler in (office, parties(agencies(TOWN, ["office"], taught=0))["office"]):
            exchange = exchange_of({"office": handler})
            feature_parties = handshake(exchange, ["office"])
            learner = application(TOWN, ["office"], settings=BRIEF)
            learned.append(
                train_vertical(
                    exchange, feature_parties, learner, plan(TOWN, Mode.BLOCK, settings=BRIEF)
                )
            )
    there, here = (history.errors for history in learned)
    assert there == pytest.approx(here, rel=1e-6)  # threads round differently
