"""What an agency answers, to whom, and under which grant."""

from dataclasses import replace

import numpy as np
import pytest
from vertical_town import APPLICATION, SERVICE, agencies, town

from deepcity.city.errors import ExchangeError, GrantError
from deepcity.exchange.message import Message
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.vertical.agency_party import AgencyParty

TOWN = town(days=12)
TIMES = TOWN.time_T[30:40]
VERBS = ("handshake", "forward", "backward", "restore", "loss", "package")


def party(grant=None, **how):
    learner = agencies(TOWN, ["office"], taught=0, **how)["office"]
    granted = grant or DeepGrant(agency="office", service=SERVICE)
    return AgencyParty(learner, granted, SERVICE, APPLICATION)


def forward(times=TIMES, **numbers):
    return Message("forward", numbers, {"times": {"times": times}})


def backward(gradient, **numbers):
    return Message("backward", numbers, {"gradients": {"vectors": gradient}})


GRADIENT = np.full((10, 2, 2), 0.1, np.float32)


@pytest.mark.parametrize("verb", VERBS)
def test_no_other_caller_is_answered(verb):
    with pytest.raises(ExchangeError, match=f"spy may not call.*only {APPLICATION}"):
        party().handle(Message(verb), "spy")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_needs_the_grant_and_all_reasons_are_reported(verb):
    grant = DeepGrant(agency="office", service="parking", least_level=4, widest=1)
    with pytest.raises(GrantError) as refused:
        party(grant).handle(Message(verb), APPLICATION)
    for part in (SERVICE, "granted for parking", "level 3 is shallower than 4", "2 numbers"):
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ({"service": "parking"}, "granted for parking"),
        ({"least_level": 4}, "shallower"),
        ({"widest": 1}, "more than 1"),
        ({"agency": "mill"}, "issued by mill, not by office"),
    ],
)
def test_each_bound_of_a_grant_holds(bounds, reason):
    grant = DeepGrant(**{"agency": "office", "service": SERVICE, **bounds})
    with pytest.raises(GrantError, match=reason):
        party(grant).handle(forward(), APPLICATION)


def test_an_unknown_verb_names_the_known():
    with pytest.raises(ExchangeError, match="'rows'; known: handshake, forward, backward"):
        party().handle(Message("rows"), APPLICATION)


@pytest.mark.parametrize(
    "layers",
    [
        {},
        {"times": {}},
        {"times": {"times": TIMES.astype(float)}},
        {"times": {"times": TIMES[None]}},
    ],
)
def test_origins_that_are_none_are_refused(layers):
    with pytest.raises(
        ExchangeError, match="'forward' needs times/times with 1 dimensions of int64"
    ):
        party().handle(Message("forward", {}, layers), APPLICATION)


@pytest.mark.parametrize(
    "gradient",
    [
        GRADIENT[:9],
        GRADIENT[:, :1],
        GRADIENT[..., :1],
        np.full_like(GRADIENT, np.nan),
        np.full_like(GRADIENT, np.inf),
    ],
)
def test_slopes_that_do_not_fit_are_refused_and_change_nothing(gradient):
    one = party()
    one.handle(forward(), APPLICATION)
    before = one.learner.export(["stem"])["stem"]["weight"]
    with pytest.raises(ExchangeError, match=r"do not match.*\(10, 2, 2\)"):
        one.handle(backward(gradient), APPLICATION)
    np.testing.assert_array_equal(one.learner.export(["stem"])["stem"]["weight"], before)


def test_slopes_before_anything_was_encoded_are_refused():
    with pytest.raises(ExchangeError, match="call 'forward' first"):
        party().handle(backward(GRADIENT), APPLICATION)


def test_slopes_move_the_encoder():
    one = party()
    one.handle(forward(), APPLICATION)
    before = one.learner.export(["stem"])["stem"]["weight"]
    one.handle(backward(GRADIENT, round=1), APPLICATION)
    assert not np.array_equal(one.learner.export(["stem"])["stem"]["weight"], before)


def test_every_telling_of_a_round_draws_anew_and_a_round_run_again_draws_the_same(monkeypatch):
    one, seeds = party(), []
    monkeypatch.setattr(
        one.learner,
        "apply_gradients",
        lambda _times, _gradient, _steps, seed, *_more: seeds.append(seed),
    )
    one.handle(forward(), APPLICATION)
    for number in (0, 0, 1, 1, 1, 0, 0):
        one.handle(backward(GRADIENT, round=number), APPLICATION)
    assert seeds[:2] == seeds[-2:]
    assert len(set(seeds[:5])) == 5


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused_in_few_words(number):
    one = party()
    one.handle(forward(), APPLICATION)
    with pytest.raises(ExchangeError, match=r"office failed with .*; see its log"):
        one.handle(backward(GRADIENT, steps=number), APPLICATION)


def test_what_fails_inside_is_not_reported(monkeypatch):
    one = party()

    def fail(_times):
        raise KeyError("the mayor's own readings")

    monkeypatch.setattr(one.learner, "encode", fail)
    with pytest.raises(ExchangeError) as refused:
        one.handle(forward(), APPLICATION)
    assert "KeyError" in str(refused.value)
    assert "mayor" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_of_a_silent_cell_nothing_leaves():
    """Its last steps are missing, yet the days before would still speak through the vector."""
    panel = TOWN.panels["office"]
    values = panel.values_TNF.copy()
    values[190:, 0] = np.nan
    place = replace(TOWN, panels={"office": replace(panel, values_TNF=values)})
    one = AgencyParty(
        agencies(place, ["office"], taught=2)["office"],
        DeepGrant(agency="office", service=SERVICE),
        SERVICE,
        APPLICATION,
    )
    deep = one.handle(forward(TOWN.time_T[[180, 200]]), APPLICATION).layers["deep"]
    assert sorted(deep["known"].sum(axis=1).tolist()) == [1, 2]
    assert (deep["vectors"][~deep["known"]] == 0).all()
    assert (deep["vectors"][deep["known"]] != 0).all()


def test_an_agency_returns_to_where_a_round_ended():
    one = party()
    first = one.handle(forward(round=0, best=-1), APPLICATION).layers["deep"]["vectors"]
    one.handle(backward(GRADIENT, round=1), APPLICATION)
    second = one.handle(forward(round=1, best=0), APPLICATION).layers["deep"]["vectors"]
    one.handle(Message("restore", {"round": 0}), APPLICATION)
    now = one.handle(forward(), APPLICATION).layers["deep"]["vectors"]
    np.testing.assert_array_equal(now, first)
    assert not np.array_equal(now, second)
    with pytest.raises(ExchangeError, match="office failed with KeyError"):
        one.handle(Message("restore", {"round": 9}), APPLICATION)


def test_an_agency_says_its_cells_and_width_and_no_more_of_itself():
    answer = party().handle(Message("handshake"), APPLICATION)
    assert answer.numbers == {"width": 2.0, "level": 3.0}
    assert set(answer.layers) == {"cells"}
    assert set(answer.layers["cells"]) == {"cells"}
