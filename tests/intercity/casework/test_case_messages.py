"""Messages of cases: answers that lie are named, and what is right survives the wire."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from searching_cities import NETWORK, NOW, WIDTH, approved, entries, make_world, opening

from deepcity.applications.tasks.matching.match_application import match_applications
from deepcity.exchange.message import Message, from_bytes, to_bytes
from deepcity.intercity.casework.case import SignedCase, check_case
from deepcity.intercity.casework.case_messages import (
    SIGHTINGS,
    query_bytes,
    query_of,
    read_sightings,
    sightings_message,
)
from deepcity.store.release_ledger.release import CaseActKind
from deepcity.vision.searching.person_query import PersonQuery
from deepcity.vision.searching.sighting import Sighting


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


ANSWERS = {
    "too many": sightings_message([Sighting(0.5, NOW, "0")] * 21),
    "an embedding": Message(
        "case_search", {}, {SIGHTINGS: {"embedding": np.zeros((1, WIDTH), np.float32)}}
    ),
    "no scores": Message("case_search", {}, {SIGHTINGS: {"camera": np.frombuffer(b"0", np.uint8)}}),
    "lengths": Message(
        "case_search",
        {},
        {
            SIGHTINGS: {
                "camera": np.frombuffer(b"0\n1", np.uint8),
                "time_s": np.array([NOW], np.int64),
                "score": np.array([5], np.uint8),
            }
        },
    ),
    "times before time": Message(
        "case_search",
        {},
        {
            SIGHTINGS: {
                "camera": np.frombuffer(b"0", np.uint8),
                "time_s": np.array([-5], np.int64),
                "score": np.array([5], np.uint8),
            }
        },
    ),
    "a score over 1": Message(
        "case_search",
        {},
        {
            SIGHTINGS: {
                "camera": np.frombuffer(b"0", np.uint8),
                "time_s": np.array([NOW], np.int64),
                "score": np.array([101], np.uint8),
            }
        },
    ),
    "escape codes": sightings_message([Sighting(0.5, NOW, "\x1b[2J")]),
    "another verb": Message("train"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_owner_that_lies_is_named_and_nothing_of_it_is_kept(world, answer):
    class Liar:
        def handle(self, message, caller):
            return answer

    room, case = world.room(), approved(world)
    decision = room.search(case, world.exchange(suwon=Liar()), "incheon/lee")
    assert [one.place for one in decision.reasons if one.code == "city-silent"] == ["suwon"]
    assert not [one for one in room.view(case, "incheon/lee")[0].hits if one.city == "suwon"]
    silent = [one.case for one in entries(room.folder) if one.case and one.case.city == "suwon"]
    assert [(one.act, one.why) for one in silent] == [(CaseActKind.UNANSWERED, "no-answer")]


@given(
    st.lists(
        st.tuples(
            st.text("abc가 -9", min_size=1, max_size=20), st.integers(0, 2**40), st.floats(-1, 1)
        ),
        max_size=20,
    )
)
def test_answers_survive_the_wire(drawn):
    found = [Sighting(score, time_s, camera) for camera, time_s, score in drawn]
    back = read_sightings(from_bytes(to_bytes(sightings_message(found))), 20)
    assert [(one.camera, one.time_s) for one in back] == [(c, t) for c, t, _ in drawn]
    for one, (_, _, score) in zip(back, drawn, strict=True):
        assert one.score == pytest.approx(max(0.0, score), abs=0.01 + 1e-9)


@given(
    st.integers(0, 3),
    st.one_of(st.none(), st.tuples(st.floats(0.4, 1.4), st.floats(1.4, 2.5))),
    st.frozensets(st.sampled_from(["red", "blue", "grey"])),
)
def test_queries_survive_the_wire(rows, height, colours):
    if not rows and height is None and not colours:
        return
    rng = np.random.default_rng(rows)
    embedding_QE = rng.normal(size=(rows, WIDTH if rows else 0))
    embedding_QE /= np.maximum(np.linalg.norm(embedding_QE, axis=1, keepdims=True), 1e-9)
    query = PersonQuery(NETWORK if rows else "", embedding_QE, height, colours)
    blob = query_bytes(query)
    back = query_of(blob)
    assert (back.network, back.height_m, back.upper) == (query.network, height, colours)
    assert back.embedding_QE == pytest.approx(query.embedding_QE, abs=1e-6)
    assert query_bytes(back) == blob


def test_a_case_file_is_one_text(world):
    signed = world.room().file(approved(world)).signed()
    assert SignedCase.model_validate_json(signed.to_line()) == signed
    terms = match_applications()["missing-child"].terms
    check_case(signed, world.cities["seoul"].keyring, terms, "seoul", NOW)
    assert opening().cities == signed.case.cities
