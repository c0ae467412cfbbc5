"""Learning without a map and without others: from one panel to a forecaster bundle."""

from collections.abc import Mapping
from typing import Any

from deepcity.applications.application import Application, Task
from deepcity.applications.decision import Confirm, Decision
from deepcity.applications.state import State
from deepcity.city.errors import ConfigError, DataError
from deepcity.city.localized_text import LocalizedText
from deepcity.city.problem import Problem
from deepcity.data.config.toml_file import did_you_mean, validate
from deepcity.data.panel import Panel
from deepcity.maps.city_map import Service
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.party import party_of
from deepcity.runs.update.forecaster_bundle import ForecasterBundle

SERVICE, PARTY = "forecast", "own/panel"  # what such a forecaster is saved under


def lone_settings(settings: Mapping[str, Any], who: str) -> ServiceSettings:
    """The settings of a service that nobody else takes part in.

    Args:
        settings: by the keys of a map's `[[service]]`.
        who: names them in problems.

    Raises:
        ConfigError: with every setting that is wrong.
    """
    nobody = {"levels": [], "automatic": False, "pooled": False}
    named = {"name": SERVICE, "application": "", "parties": [PARTY], "field": ""}
    found, problems = validate(ServiceSettings, {**named, **nobody, **settings}, who)
    if found is None:
        raise ConfigError(problems)
    return found


def learn_alone(
    settings: ServiceSettings, panel: Panel, field: str | None, seed: int
) -> ForecasterBundle:
    """Learn as the method `alone` of a run does.

    Args:
        field: which to forecast; None where there is one.

    Raises:
        DataError: if the panel lacks the field, or its records do not suffice.
    """
    # a forecaster that was saved starts quickly without these
    from deepcity.intercity.method import alone
    from deepcity.runs.site import Site
    from deepcity.runs.trainings import ServiceRun, profiles_of, run_method
    from deepcity.runs.update.save_forecaster import bundle_of

    name = _field_of(panel, field)
    settings = settings.model_copy(update={"field": name})
    hours = settings.window.horizon * panel.clock.step_s / 3600
    service = Service(settings, _without_map(hours), ())
    party = party_of(service, PARTY, LocalizedText(PARTY, PARTY), panel, name)
    site = Site(settings, party, seed)
    run_method(ServiceRun(settings, profiles_of([site]), seed), alone([site.name]), [site])
    choice = site.choose(None).choice
    return bundle_of(settings, party, choice, choice.forecast(party))


def _field_of(panel: Panel, field: str | None) -> str:
    names = [one.name for one in panel.fields]
    if field is None and len(names) == 1:
        return names[0]
    if field in names:
        return str(field)
    reason = "there are several" if field is None else "the panel has no such field"
    right = did_you_mean(field or "", names)
    raise DataError([Problem(PARTY, "field", field, reason, right)])


def _without_map(hours: float) -> Application:
    """What it is evaluated by: absolute errors over its whole horizon."""

    def decide(state: State) -> Decision:
        return Decision((), (), 0.0, state.valid_until_s, Confirm.OPERATOR)

    text = LocalizedText("forecast", "예측")
    return Application(SERVICE, text, text, text, Task.FORECAST, (), (), hours, decide)
