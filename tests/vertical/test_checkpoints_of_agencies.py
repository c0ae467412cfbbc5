"""An agency keeps its own state by messages: begin, snapshot, go on, restore, package."""

import logging

import numpy as np
import pytest
from vertical_town import APPLICATION, SERVICE, agencies, town

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.exchange.message import Message
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.vertical.agency_site import AgencySite

TOWN = town(days=12)
TIMES = TOWN.time_T[30:40]
GRADIENT = np.full((10, 2, 2), 0.1, np.float32)


def site(folder=None, name="flows"):
    """An agency that has a folder, if one is given."""
    learner = agencies(TOWN, ["office"], taught=3)["office"]
    made = AgencySite(learner, DeepGrant(agency="office", service=SERVICE), TIMES)
    if folder is not None:
        made.use_folder(folder, name, folder / "packages")
    return made


def ask(one, verb, layers=None, **numbers):
    return one.handle(Message(verb, numbers, layers or {}), APPLICATION)


def activations(one, **numbers):
    return ask(one, "forward", {"times": {"times": TIMES}}, **numbers).layers["deep"]["vectors"]


def one_round(one, number, best):
    """Activations at the end of a round of one gradient message."""
    activations(one, round=number)
    ask(one, "backward", {"gradients": {"vectors": GRADIENT}}, round=number, steps=2)
    return activations(one, round=number, best=best)


def stem(one):
    return one.answers.learner.export(["stem"])["stem"]["weight"]


def test_every_run_begins_with_a_copy_of_the_pretrained_encoder():
    one = site()
    first = activations(one)
    for run in range(2):
        ask(one, "handshake", run=run)
        np.testing.assert_array_equal(activations(one), first)
        assert not np.array_equal(one_round(one, 0, -1), first)
    np.testing.assert_array_equal(one.learner.encode(TIMES).vectors_BCD, first)


def test_it_goes_on_elsewhere_from_its_own_folder_to_the_same_bits(tmp_path):
    whole, killed = site(tmp_path / "whole"), site(tmp_path / "killed")
    for one in (whole, killed):
        ask(one, "handshake", run=3)
        one_round(one, 0, -1)
        one_round(one, 1, 0)
    (tmp_path / "killed").rename(tmp_path / "moved")
    again = site(tmp_path / "moved")
    ask(again, "handshake", run=3, round=2)
    for one in (whole, again):
        one_round(one, 2, 0)
    np.testing.assert_array_equal(stem(again), stem(whole))
    ask(whole, "restore", round=0)
    ask(again, "restore", round=0)  # the best round is in the checkpoint, too
    np.testing.assert_array_equal(stem(again), stem(whole))


def test_a_round_that_it_did_not_keep_is_refused_and_the_run_before_goes_on(tmp_path):
    one = site(tmp_path)
    ask(one, "handshake", run=1)
    one_round(one, 0, -1)
    before = stem(one)
    with pytest.raises(ExchangeError, match="office has no checkpoint of run 1, round 5"):
        ask(one, "handshake", run=1, round=5)
    with pytest.raises(ExchangeError, match="office has no checkpoint of run 2, round 1"):
        ask(one, "handshake", run=2, round=1)
    np.testing.assert_array_equal(stem(one), before)
    (kept,) = tmp_path.glob("checkpoints/*.checkpoint")
    kept.write_bytes(kept.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match="damaged"):
        ask(one, "handshake", run=1, round=1)


def test_only_the_best_round_and_the_newest_are_remembered(tmp_path):
    one = site(tmp_path)
    ask(one, "handshake", run=0)
    for number, best in enumerate((-1, 0, 0)):
        one_round(one, number, best)
    ask(one, "restore", round=0)
    with pytest.raises(ExchangeError, match="failed with KeyError"):
        ask(one, "restore", round=1)


def test_a_checkpoint_that_cannot_be_written_costs_no_answer(tmp_path, caplog):
    (tmp_path / "checkpoints").write_text("a file in the way", encoding="utf-8")
    one = site(tmp_path)
    ask(one, "handshake", run=0)
    with caplog.at_level(logging.WARNING):
        assert np.isfinite(one_round(one, 0, -1)).all()
    assert "flows could not write its checkpoint of round 0" in caplog.text
    ask(one, "restore", round=0)


def test_its_checkpoints_are_its_own_to_drop(tmp_path):
    one, other = site(tmp_path), site(tmp_path, name="power")
    for each in (one, other):
        ask(each, "handshake", run=0)
        one_round(each, 0, -1)
    one.drop_checkpoints()
    (left,) = tmp_path.glob("checkpoints/*.checkpoint")
    assert left.name.startswith("power.")


def test_without_a_folder_there_is_no_package():
    with pytest.raises(ExchangeError, match="office has no folder for its encoder"):
        ask(site(), "package", step_s=3600, phase_s=0)
