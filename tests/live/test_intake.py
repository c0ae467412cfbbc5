"""What an application takes from an agency, and the reasons why not, all at once."""

from dataclasses import replace

import numpy as np
import pytest
from live_server import access, store_of
from live_town import DAY, HOUR, NOW

from deepcity.city.errors import DeepDataError, GrantError, LiveError, VersionError
from deepcity.live.intake import ClockError, Intake
from deepcity.live.wire import cell_names
from deepcity.store.deep_data.batch import DeepData
from deepcity.store.deep_data.upsert import Appended


@pytest.fixture
def receipt(town_trained, tmp_path):
    with store_of(town_trained, f"duckdb:///{tmp_path / 'deep.duckdb'}") as store:
        yield Intake(town_trained.fused, access(), store)


@pytest.fixture
def rows(town_trained):
    """Two hours of weather, as it could have sent them; changed by name."""
    package = town_trained.encoders["weather"]
    whole = DeepData(
        package.space,
        np.array([NOW - HOUR, NOW]),
        np.repeat(cell_names(package.cells), 2),
        np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], np.float32),
    )
    return lambda **changes: replace(whole, **changes)


def held(receipt, space):
    return receipt.store.read(space, None, 0, 2 * NOW, reader="ridership")


def test_what_is_right_is_taken_and_again_changes_nothing(receipt, rows):
    assert receipt.accept("weather", rows(), now=NOW).appended.new == 2
    assert receipt.accept("weather", rows(), now=NOW).appended.repeated == 2
    assert len(held(receipt, rows().space)) == 2


def test_late_rows_are_taken(receipt, rows):
    assert receipt.accept("weather", rows(), now=NOW + 40 * HOUR).appended.new == 2


def test_rows_older_than_the_store_keeps_are_reported_and_not_stored(receipt, rows):
    """On the very second they are kept; what tending would delete is never called stored."""
    space, days = rows().space, 30
    receipt.store.retain(space, days)
    result = receipt.accept("weather", rows(), now=NOW + days * DAY)
    assert (result.appended.new, result.expired) == (1, 1)
    assert held(receipt, space).time_R.tolist() == [NOW]
    assert receipt.store.tend(NOW + days * DAY) == 0
    (why,) = result.why
    assert "1 of 2 rows, from 2024-05-24T23:00:00Z on" in why.reason
    assert "the 30 days that the application keeps" in why.reason
    assert "--keep-days" in why.right
    again = receipt.accept("weather", rows(), now=NOW + days * DAY)
    assert (again.appended.repeated, again.expired) == (1, 1)
    later = receipt.accept("weather", rows(), now=NOW + days * DAY + 1)
    assert (later.appended, later.expired) == (Appended(), 2)
    receipt.store.retain(space, None)
    assert receipt.accept("weather", rows(), now=NOW + 999 * DAY).expired == 0


def test_another_vector_for_a_cell_and_time_is_refused(receipt, rows):
    receipt.accept("weather", rows(), now=NOW)
    with pytest.raises(DeepDataError, match="holds another vector"):
        receipt.accept("weather", rows(vectors_RW=-rows().vectors_RW), now=NOW)
    np.testing.assert_array_equal(held(receipt, rows().space).vectors_RW, rows().vectors_RW)


@pytest.mark.parametrize(
    ("shift", "message"),
    [
        (420, "420 s after one"),  # a clock off the agreed times
        (-1, "3599 s after one"),
        (HOUR, "in the future"),  # ahead by one step
        (9 * HOUR, "time zone"),  # Seoul's time told as UTC
        (15 * 60, "not a time of the grid, every 3600 s"),
    ],
)
def test_times_of_clocks_that_do_not_agree_are_refused(receipt, rows, shift, message):
    with pytest.raises(DeepDataError, match=message):
        receipt.accept("weather", rows(time_R=rows().time_R + shift), now=NOW)
    assert not len(held(receipt, rows().space))


@pytest.mark.parametrize(
    ("off", "message"), [(HOUR, "ahead of"), (-HOUR, "behind"), (301, "301 s")]
)
def test_a_sender_whose_clock_is_off_is_refused(receipt, rows, off, message):
    with pytest.raises(ClockError, match=message):
        receipt.accept("weather", rows(), now=NOW, sent_at=NOW + off)
    assert receipt.accept("weather", rows(), now=NOW, sent_at=NOW - 299).appended.new == 2


def test_everything_wrong_is_reported_at_once(receipt, rows):
    wrong = DeepData(
        rows().space,
        np.array([NOW + 7, NOW + 5 * HOUR]),
        np.array(["elsewhere", "elsewhere"]),
        np.full((2, 5), np.nan, np.float32),
    )
    with pytest.raises(DeepDataError) as caught:
        receipt.accept("weather", wrong, now=NOW)
    message = str(caught.value)
    for part in ("time of the grid", "in the future", "elsewhere", "not finite", "width of 3"):
        assert part in message
    assert message.count("in the future") == 1


def test_another_version_is_refused_with_both(receipt, rows):
    space = replace(rows().space, version="feedfeedfeedfeed")
    with pytest.raises(VersionError) as caught:
        receipt.accept("weather", rows(space=space), now=NOW)
    assert "feedfeedfeedfeed" in str(caught.value)
    assert rows().space.version in str(caught.value)


def test_nobody_speaks_in_anothers_space(receipt, rows):
    with pytest.raises(GrantError, match="gates's token is for"):
        receipt.accept("gates", rows(), now=NOW)
    with pytest.raises(GrantError, match="weather's token is for"):
        receipt.accept("weather", rows(space=replace(rows().space, city="other")), now=NOW)
    with pytest.raises(LiveError, match="was trained with gates, weather"):
        receipt.accept("police", rows(space=replace(rows().space, agency="police")), now=NOW)


def test_the_agency_that_holds_the_labels_must_be_the_application(receipt, rows):
    own = rows(space=replace(rows().space, agency="metro"))
    with pytest.raises(LiveError, match=r"holds the labels.*[Rr]un the application.*where metro"):
        receipt.accept("metro", own, now=NOW)


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        (access("gates"), "grants ridership nothing"),
        (access(least_level=4), "level 3 is shallower than 4"),
        (access(widest=2), "3 numbers are more than 2"),
    ],
)
def test_what_no_grant_covers_is_refused(receipt, rows, allowed, message):
    with pytest.raises(GrantError, match=message):
        replace(receipt, access=allowed).accept("weather", rows(), now=NOW)
