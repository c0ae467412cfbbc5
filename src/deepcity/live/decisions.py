"""What a live application decides after each forecast, and the log that keeps both.

The decision is the application's own (`deepcity.applications`), by the errors that its package
keeps of past forecasts: with every agency, with none where some are late, or of the typical day
where own rows are late, so that a decision is never surer than its forecast.

Shapes: N places, H horizon steps.
"""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from deepcity.applications.application import Application, Task, applications
from deepcity.applications.decision import Decision
from deepcity.applications.state import Past, Request, State
from deepcity.applications.tasks.known_places import decide_where_known
from deepcity.city.errors import DeepCityError, LiveError
from deepcity.learning.split.fused_package import (
    ALL,
    KNOWN,
    NO_AGENCY,
    TRUTH,
    TYPICAL,
    FusedPackage,
)
from deepcity.live.application import AgencyStatus, LiveApplication, LiveForecast
from deepcity.store.deep_data.batch import moment
from deepcity.store.run_folder import ensure_folder

MAX_LOG_BYTES = 64_000_000
"""A log of this size is put aside as `.1`, in place of the one before."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LiveDecision:
    """A decision with the forecast it was made from.

    Attributes:
        errors: whose past errors its probabilities rest on: `ALL`, `NO_AGENCY` or `TYPICAL`.
        units: how many patrols were asked for; None: the application's own number.
    """

    forecast: LiveForecast
    task: Task
    decision: Decision
    errors: str
    units: int | None = None

    def event(self) -> dict[str, Any]:
        """As a line of the log."""
        made, forecast = self.decision, self.forecast
        numbers = {
            name: np.round(getattr(forecast, f"{name}_NH").astype(float), 4).tolist()
            for name in ("value", "low", "high")
        }
        return {
            "at": moment(forecast.at),
            "decision": {**asdict(made), "confirm": made.confirm.value},
            "errors": self.errors,
            **({} if self.units is None else {"units": self.units}),
            "forecast": {
                "times": [moment(int(time)) for time in forecast.time_H],
                "places": list(forecast.places),
                **numbers,
                "own_lag_s": forecast.own_lag_s,
                "agencies": {one.name: one.status.value for one in forecast.agencies},
            },
        }


def decide(
    application: LiveApplication,
    found: LiveForecast,
    requests: Sequence[Request] = (),
    units: int | None = None,
) -> LiveDecision:
    """The application's decision on a forecast.

    Args:
        found: a whole forecast.
        requests: that a plan must answer.
        units: how many patrols a plan may send; None: the application's own number.

    Raises:
        LiveError: if its package does not say what it is for, or has no past forecasts.
    """
    service = _service(application.package)
    state = replace(live_state(application, found), requests=tuple(requests), units=units)
    made = decide_where_known(service.decide, state)
    return LiveDecision(found, service.task, made, _errors(found), units)


def live_state(application: LiveApplication, found: LiveForecast) -> State:
    """What `decide` decides on, without requests; arguments and errors are those of it."""
    package, rows = application.package, application.rows
    service, field = _service(package), package.facts.field
    past = past_of(package, _errors(found), service.horizon_steps(package.facts.step_s))
    return State.of(rows, field, found.at, found.value_NH, past, known_days=service.known_days)


def decision_steps(package: FusedPackage) -> int:
    """How many steps ahead its decisions look.

    Raises:
        LiveError: as `decide`.
    """
    steps = _service(package).horizon_steps(package.facts.step_s)
    return min(steps, package.facts.settings.horizon)


def can_decide(package: FusedPackage) -> bool:
    """Whether a package says what it is for, and has past forecasts."""
    return bool(package.past) and package.facts.application in applications()


@lru_cache(maxsize=8)  # one object each, so that what is computed from it is kept too
def past_of(package: FusedPackage, errors: str, steps: int) -> Past:
    """The past forecasts of a package by one of its ways, with what came."""
    truth_BNH = np.where(package.past[KNOWN], package.past[TRUTH], np.float32(np.nan))
    return Past.of(package.past[errors], truth_BNH, steps)


def _service(package: FusedPackage) -> Application:
    if can_decide(package):
        return applications()[package.facts.application]
    name = package.facts.application
    reason = f"it names an unknown application, {name!r}" if name else "it names no application"
    if name in applications():
        reason = "it has no past forecasts to decide by"
    right = "train again with this version (deepcity train-vertical) and serve the new package"
    raise LiveError(f"package {package.version}", reason, right)


def _errors(found: LiveForecast) -> str:
    if found.own_lag_s:
        return TYPICAL
    fresh = all(one.status is AgencyStatus.FRESH for one in found.agencies)
    return ALL if fresh else NO_AGENCY


class DecisionLog:
    """Keeps every new decision with its forecast, as a line of JSON.

    One made from the same rows and deep data as the one before is not kept again, unless it
    answers requests or a number of patrols.

    Args of `DecisionLog(...)`:
        path: the file; None: none is written.
        listener: called with every event.

    Threads may share it.
    """

    def __init__(
        self, path: Path | None, listener: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        self.path, self._listener = path, listener
        self._last: object = None
        self._lock = threading.Lock()

    def after_rows(self, application: LiveApplication, at: int) -> None:
        """Forecast and decide at a time, when own rows have come; problems go to the log alone."""
        if can_decide(application.package):
            try:
                self.after_forecast(application, application.forecast(at))
            except DeepCityError:
                _log.exception("no decision at %s", moment(at))

    def after_forecast(self, application: LiveApplication, found: LiveForecast) -> None:
        """Decide on a forecast just made, and keep it."""
        if can_decide(application.package) and self._key(found) != self._last:
            self.keep(decide(application, found))

    def keep(self, made: LiveDecision) -> None:
        """Keep a decision, if it is a new one; a full disk is reported, and keeps none back."""
        key = self._key(made.forecast)
        with self._lock:
            asked = made.units is not None or any(one.request for one in made.decision.actions)
            if key == self._last and not asked:
                return
            self._last = key if made.units is None else self._last
            event = made.event()
            if self.path is not None:
                self._write(self.path, json.dumps(event, ensure_ascii=False) + "\n")
        if self._listener is not None:
            self._listener(event)

    @staticmethod
    def _key(found: LiveForecast) -> object:
        states = tuple((one.name, one.status, one.newest, one.cells) for one in found.agencies)
        return found.at, found.newest_own_row, found.own_lag_s, states

    @staticmethod
    def _write(path: Path, line: str) -> None:
        try:
            ensure_folder(path.parent)
            if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
                path.replace(path.with_suffix(path.suffix + ".1"))
            with path.open("a", encoding="utf-8") as file:
                file.write(line)
        except (OSError, DeepCityError):
            _log.exception("a decision could not be kept in %s", path)
