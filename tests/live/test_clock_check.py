"""Records by a clock that is ahead are doubted; those in time, late or known ahead never are."""

from dataclasses import replace

import pytest
from live_town import DAY, HOUR, NOW

from deepcity.live.agency import LiveAgency
from deepcity.live.clock_check import EARLY_STEPS, Arrival, ArrivalLog, add_arrival, clock_warning
from deepcity.store.outbox import Outbox

MINUTE = 60


@pytest.fixture
def outbox(tmp_path):
    with Outbox(tmp_path / "outbox") as outbox:
        yield outbox


@pytest.fixture
def lived(town_trained, outbox):
    """Looks at an agency's rows hour by hour, each hour's `late` seconds after it is over."""

    def live(name, late, hours=6, **how):
        arrivals = ArrivalLog(town_trained.encoders[name], outbox, **how)
        found = []
        for hour in range(hours):
            over = NOW + hour * HOUR
            found.append(arrivals.check(town_trained.panel(name, over), over + late))
        return [bool(clock_warning) for clock_warning in found]

    return live


def test_rows_of_hours_that_are_yet_to_come_are_doubted_at_once(town_trained, outbox):
    gates = LiveAgency(town_trained.encoders["gates"], outbox)
    found = gates.encode_new(town_trained.panel("gates", NOW + 9 * HOUR), NOW + MINUTE)
    assert "the newest rows of gates begin at 2024-05-25T08:00:00Z" in found.clock_warning
    assert "showed 2024-05-25T00:01:00Z: they lie in the future" in found.clock_warning
    assert "Correct time.zone or time.stamp" in found.clock_warning


@pytest.mark.parametrize(
    ("name", "delay"),
    [("gates", 1), ("gates", 20), ("gates", 50), ("weather", 1), ("weather", 20)],
)
def test_one_step_ahead_is_doubted_once_it_has_come_again(lived, name, delay):
    """Totals of an hour that still runs, also in its second half; averages in its first."""
    early = lived(name, delay * MINUTE - HOUR)
    assert early == [False] * (EARLY_STEPS - 1) + [True] * (7 - EARLY_STEPS)


@pytest.mark.parametrize(
    ("name", "late"),
    [
        ("gates", 0),
        ("gates", 20),
        ("gates", 60),  # an hour, all the time: legitimate
        ("gates", 9 * 60),
        ("gates", -5),  # closed some minutes early
        ("weather", 1),
        ("weather", -10),  # an average of a first reading at :50, all the time
        ("weather", -25),
    ],
)
def test_a_feed_in_time_or_late_is_never_doubted(lived, name, late):
    assert not any(lived(name, late * MINUTE))


def test_events_are_counted_while_their_hour_runs(lived):
    assert not any(lived("gates", 2 * MINUTE - HOUR, at_once=True))
    assert any(lived("gates", 2 * MINUTE - 2 * HOUR, at_once=True))  # but not before it


def test_a_doubt_stays_through_the_hour_and_a_restart_until_rows_are_in_time(town_trained, outbox):
    package, panel = town_trained.encoders["weather"], town_trained.panel("weather")

    def warning_at(newest, now):
        return (
            LiveAgency(package, outbox)
            .encode_new(panel.between(0, newest + HOUR), now)
            .clock_warning
        )

    for hour in range(EARLY_STEPS):
        clock_warning = warning_at(NOW + hour * HOUR, NOW + hour * HOUR + MINUTE)
    assert "3 times in a row" in clock_warning
    at = NOW + (EARLY_STEPS - 1) * HOUR
    assert "ahead by up to one step" in clock_warning
    assert warning_at(at, at + 50 * MINUTE) == clock_warning
    assert warning_at(at + HOUR, at + 2 * HOUR) == ""
    assert warning_at(at + 2 * HOUR, at + 2 * HOUR + MINUTE) == ""  # once is no habit


def test_a_stray_row_is_doubted_until_it_is_removed(town_trained, outbox):
    arrivals = ArrivalLog(town_trained.encoders["gates"], outbox)
    panel = town_trained.panel("gates")
    assert "in the future" in arrivals.check(panel.between(0, NOW + 5 * HOUR), NOW)
    assert arrivals.check(panel.between(0, NOW), NOW + MINUTE) == ""
    assert arrivals.check(panel.between(0, NOW + HOUR), NOW + HOUR) == ""


def test_rows_known_ahead_are_no_matter_of_clocks(town_trained, outbox):
    package = town_trained.encoders["gates"]
    calendar = town_trained.panel("gates")  # its rows go on for days
    assert int(calendar.time_T[-1]) - NOW > 2 * DAY
    assert ArrivalLog(package, outbox).check(calendar, NOW) == ""
    knows = replace(package, settings=package.settings.model_copy(update={"ahead": 12}))
    panel = town_trained.panel("gates", NOW + 9 * HOUR)
    assert ArrivalLog(knows, outbox).check(panel, NOW) == ""


def test_arrivals_in_a_row_are_remembered_as_they_were_first():
    found = ()
    for step, seen in ((0, 5), (0, 9), (10, 12), (20, 21), (30, 31), (20, 40)):
        found = add_arrival(found, Arrival(step, seen))
    assert found == (Arrival(10, 12), Arrival(20, 21))
    assert clock_warning("gates", 10, 5, found) == ""
    assert clock_warning("gates", 10, 5, ()) == ""
