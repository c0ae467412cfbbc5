"""Whether a panel is what a forecaster was trained on; every difference is reported at once."""

import warnings
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deepcity.city.clock import DAY_S
from deepcity.city.errors import DataError, RecordsWarning
from deepcity.city.problem import Problem
from deepcity.data.panel import Panel
from deepcity.forecasting.gaps import SILENT_DAYS
from deepcity.runs.update.forecaster_bundle import (
    MODEL,
    BundleIdentity,
    BundleTerms,
    ForecasterBundle,
    RowsChecksum,
)
from deepcity.runs.update.record_check import (
    clock_problems,
    identity_problems,
    in_learned_order,
    moment,
)


class LateRecordsError(DataError):
    """The newest row is too old for the forecast that is asked for."""


def check_newest(bundle: ForecasterBundle, newest: int, asked: int | None) -> None:
    """Check that records reach far enough; times are UTC seconds, `newest` the end of the last row.

    Args:
        asked: the time to forecast from, or None for `newest`.

    Raises:
        LateRecordsError: if they do not.
    """
    party, learned_to = bundle.identity.party, bundle.times.learned_to
    if asked is not None and asked - newest > SILENT_DAYS * DAY_S:
        reason = f"the panel ends at {moment(newest)}, more than {SILENT_DAYS:g} days before"
        right = "give newer rows, or an earlier time"
        raise LateRecordsError([Problem(party, "at", moment(asked), reason, right)])
    if asked is None and newest < learned_to:
        reason = f"records end there, but its networks learned from rows until {moment(learned_to)}"
        right = "put back the rows that its source has lost, or see why no value is read from them"
        raise LateRecordsError([Problem(party, "records", moment(newest), reason, right)])


def second_of(party: str, key: str, at: datetime, time_zone: str) -> float:
    """A time as UTC seconds; without a zone, it is meant in the panel's.

    Raises:
        DataError: if the clocks skip or repeat it there, or it is out of all calendars.
    """
    zone, away = ZoneInfo(time_zone), "give a time near the records"
    try:
        if at.tzinfo:
            return at.astimezone(UTC).timestamp()
        first, second = (at.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        there = first.astimezone(zone).replace(tzinfo=None, fold=0)
    except OverflowError as error:
        raise DataError([Problem(party, key, str(at), "out of the calendar", away)]) from error
    if first == second:
        return first.timestamp()
    choices = " or ".join(one.astimezone(zone).isoformat() for one in sorted((first, second)))
    what = "repeat" if there == at.replace(fold=0) else "skip"
    reason = f"the clocks of {time_zone} {what} this time"
    raise DataError([Problem(party, key, str(at), reason, f"write {choices}")])


def checked_panel(bundle: ForecasterBundle, terms: BundleTerms, panel: Panel) -> Panel:
    """The panel of the places that were learned from, in their order.

    Rows of the training span that have changed since raise a Python warning.

    Raises:
        DataError: with every point in which it is not what was learned from.
    """
    was = bundle.identity
    panel, _ = in_learned_order(panel, was.places)
    fields = {field.name: field.unit for field in panel.fields}
    problems = []
    if was.field not in fields:
        reason = f"its networks were trained with {was.field!r}"
        right = "give a panel that holds it under that name"
        problems.append(Problem(was.party, "field", ", ".join(fields), reason, right))
    now = BundleIdentity(
        model=MODEL,
        service=was.service,
        party=was.party,
        field=was.field,
        unit=fields.get(was.field, was.unit),
        step_s=panel.clock.step_s,
        places=tuple(place.id for place in panel.places),
        window=was.window,
    )
    problems += identity_problems(was, now)
    if panel.clock.time_zone != terms.time_zone:
        reason = f"its days and hours were learned in {terms.time_zone}"
        right = "make the panel in that time zone"
        problems.append(Problem(was.party, "time_zone", panel.clock.time_zone, reason, right))
    problems += clock_problems(was.party, panel, bundle)
    if problems:
        raise DataError(problems)
    _warn_of_other_rows(bundle, panel)
    return panel


def _warn_of_other_rows(bundle: ForecasterBundle, panel: Panel) -> None:
    step_s, until = panel.clock.step_s, bundle.times.aside_to
    if int(panel.time_T[-1]) + step_s < until:  # as of a day among them: the rest is not there yet
        return
    old = panel.between(bundle.times.train_from, until)
    values_TN = old.values_TNF[:, :, old.field_index(bundle.identity.field)]
    if not RowsChecksum.of(values_TN).same_as(bundle.old_rows):
        text = (
            f"{bundle.identity.party}: rows that its networks learned from are others in this "
            f"panel; forecasts follow the panel. If they were not corrected on purpose, check "
            f"that it is the right panel"
        )
        warnings.warn(text, RecordsWarning, stacklevel=4)


def panel_of_frame(bundle: ForecasterBundle, terms: BundleTerms, frame: Any) -> Panel:  # noqa: ANN401
    """The panel of a frame of polars or pandas, with what the forecaster knows of its rows.

    Raises:
        DataError: with every problem of the frame, or if the forecaster was saved by a version
            that did not keep the kind of its field.
        TypeError: if it is no frame.
    """
    was = bundle.identity
    if not terms.kind:
        reason = "it was saved by a version that did not keep the kind of its field"
        right = "give a panel (Panel.from_frame), or run the map anew"
        raise DataError([Problem(was.party, "panel", None, reason, right)])
    columns = {str(name) for name in getattr(frame, "columns", ())}
    return Panel.from_frame(
        frame,
        time="time",
        place="place" if "place" in columns else None,
        fields={was.field: {"kind": terms.kind, "unit": was.unit}},
        time_zone=terms.time_zone,
        step=timedelta(seconds=was.step_s),
        places=was.places,
        holidays=terms.holidays,
    )
