"""A decision as a CAP 1.2 message: read by another library, and never sent by itself."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from application_contract import NOW_S, STEP_S, made_state
from cap_tools.models import Alert
from hypothesis import given
from hypothesis import strategies as st
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from deepcity.applications.application import applications
from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.web.cap import NAMESPACE, CapContext, cap_alert, cap_time, reference

AIR = applications()["air-warning"]
SENDER = "air@city.example"
CONTEXT = CapContext(AIR, "ug/m3", "Asia/Seoul", STEP_S, 24)
PLACES = made_state(AIR).places
ORDER = re.split(
    r"\s+",
    "language category event responseType urgency severity certainty audience eventCode effective "
    "onset expires senderName headline description instruction web contact parameter resource area",
)
"""Of an <info>, as the standard's schema has it."""


def decided(level, onset=5):
    """An air warning at the second place from an hour on; none at a low level."""
    state = made_state(AIR)
    forecast_NH = np.full_like(state.forecast_NH, 3.0)
    forecast_NH[1, onset:] = level
    return AIR.decide(replace(state, forecast_NH=forecast_NH))


def read(message: bytes) -> Alert:
    strict = ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True)
    return XmlParser(config=strict).from_bytes(message, Alert)


def message(decision, **more):
    return cap_alert(decision, PLACES, SENDER, CONTEXT, **{"sent_s": NOW_S, **more})


def test_another_library_reads_what_was_decided_in_both_languages():
    decision = decided(150.0)
    found = read(message(decision, confirmed=True))
    assert (found.sender, found.status.value, found.scope.value) == (SENDER, "Actual", "Public")
    assert found.msg_type.value == "Alert"
    en, ko = found.infos
    assert [one.language for one in found.infos] == ["en-US", "ko-KR"]
    assert (en.event, ko.event) == ("Air quality warning", "대기질 경보")
    assert "first at p1" in en.description
    assert re.search("가장 이른 곳: p1", ko.description)
    for info in (en, ko):
        assert [one.value for one in info.categories] == ["Env", "Health"]
        assert (info.urgency.value, info.severity.value) == ("Future", "Moderate")
        assert info.certainty.value == "Likely"
        assert info.onset.to_datetime().timestamp() == decision.actions[0].at_s
        assert info.effective.to_datetime().timestamp() == NOW_S
        assert info.expires.to_datetime().timestamp() == decision.actions[-1].at_s + STEP_S
        (area,) = info.areas
        assert area.area_desc == "p1"
        assert area.circles == ["51.050000,13.750000 0"]
        assert area.geocodes[0].value.value == PLACES[1].cell


def test_the_elements_stand_in_the_standard_s_order():
    root = ET.fromstring(message(decided(150.0), instruction=LocalizedText("Stay in.", "실내로.")))
    for info in root.iter(f"{{{NAMESPACE}}}info"):
        names = [child.tag.rpartition("}")[2] for child in info]
        assert names == sorted(names, key=ORDER.index)
        assert {"instruction", "headline", "parameter", "area"} <= set(names)


@pytest.mark.parametrize(
    ("confirm", "confirmed", "status"),
    [
        (Confirm.AUTHORITY, False, "Draft"),
        (Confirm.AUTHORITY, True, "Actual"),
        (Confirm.NOBODY, False, "Actual"),
    ],
)
def test_what_somebody_must_confirm_is_a_draft_until_then(confirm, confirmed, status):
    decision = replace(decided(150.0), confirm=confirm)
    assert read(message(decision, confirmed=confirmed)).status.value == status
    assert read(message(decision, status="Test")).status.value == "Test"


def test_urgency_is_how_soon_and_certainty_how_probable():
    now = read(message(decided(150.0, onset=0))).infos[0]
    assert (now.urgency.value, now.response_types[0].value) == ("Immediate", "Monitor")
    assert read(message(decided(150.0, onset=1))).infos[0].urgency.value == "Expected"
    decision = decided(150.0)
    (action,) = decision.actions
    half = replace(decision, actions=(replace(action, numbers={"probability": 0.5}),))
    assert read(message(half)).infos[0].certainty.value == "Possible"
    unknown = Decision(
        (Action("look-first", "p1", NOW_S),), (Reason("any"),), 0.0, NOW_S + STEP_S, Confirm.NOBODY
    )
    assert read(message(unknown)).infos[0].certainty.value == "Unknown"


def test_a_later_decision_updates_or_cancels_the_message_before():
    first = decided(150.0)
    before = reference(first, SENDER, NOW_S, "Asia/Seoul")
    assert before.split(",")[1] == read(message(first)).identifier
    update = read(message(decided(200.0), sent_s=NOW_S + 60, supersedes=[before]))
    assert update.msg_type.value == "Update"
    assert str(update.references[0] if isinstance(update.references, list) else update.references)
    cancel = read(message(decided(3.0), sent_s=NOW_S + 60, supersedes=[before]))
    assert cancel.msg_type.value == "Cancel"
    assert cancel.infos[0].response_types[0].value == "AllClear"
    assert not cancel.infos[0].areas


@pytest.mark.parametrize("sender", ["", "the city", "a,b", "a<b", "a&b"])
def test_a_sender_the_standard_forbids_is_refused(sender):
    with pytest.raises(ValueError, match="sender"):
        cap_alert(decided(150.0), PLACES, sender, CONTEXT, sent_s=NOW_S)


def test_nothing_to_warn_of_and_a_malformed_reference_are_refused():
    with pytest.raises(ValueError, match="nothing to warn of"):
        message(decided(3.0))
    with pytest.raises(ValueError, match="SENDER,IDENTIFIER,SENT"):
        message(decided(150.0), supersedes=["only-an-identifier"])


@given(st.integers(0, 4_000_000_000), st.sampled_from(["UTC", "Asia/Seoul", "America/St_Johns"]))
def test_times_have_an_offset_and_are_never_in_z(second, zone):
    written = cap_time(second, zone)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d", written)
    assert not written.endswith("+00:00")
    assert datetime.fromisoformat(written).astimezone(UTC).timestamp() == second


def test_every_time_in_a_message_has_an_offset_also_in_utc():
    """The library writes Z, which the standard forbids."""
    context = replace(CONTEXT, time_zone="UTC")
    before = reference(decided(150.0), SENDER, NOW_S, "UTC")
    written = cap_alert(
        decided(200.0), PLACES, SENDER, context, sent_s=NOW_S + 60, supersedes=[before]
    )
    root = ET.fromstring(written)
    names = [f"{{{NAMESPACE}}}{name}" for name in ("sent", "effective", "onset", "expires")]
    found = [one.text for name in names for one in root.iter(name)]
    assert len(found) == 7
    assert all(one.endswith("-00:00") for one in found)
    (references,) = root.iter(f"{{{NAMESPACE}}}references")
    assert references.text == before
    assert before.endswith("-00:00")


@given(st.text(min_size=1))
def test_any_place_id_makes_a_message_that_can_be_read(place):
    state_places = (Place(place),)
    decision = Decision(
        (Action("warn", place, NOW_S, {"probability": 0.7}),),
        (Reason("any", {}, place),),
        0.7,
        NOW_S + STEP_S,
        Confirm.NOBODY,
    )
    found = read(cap_alert(decision, state_places, SENDER, CONTEXT, sent_s=NOW_S))
    assert len(found.infos) == 2
    assert not found.infos[0].areas[0].circles
