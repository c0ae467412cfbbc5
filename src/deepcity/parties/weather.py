"""Weather for a service's parties, from an agency of their city.

Records stand in for a weather forecast: values measured within the forecast horizon are taken as
known. Experts that use them document it.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from deepcity.city.errors import DataError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, load_panel
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.panel import Panel
from deepcity.learning.features.weather import FIELDS
from deepcity.maps.city_map import Member, Service


def weather_of(
    service: Service,
    member: Member,
    panel: Panel,
    load: Callable[[CityFile, str], Panel] = load_panel,
) -> Panel | None:
    """Temperature and rain on the steps of a party's panel; None where no agency is named.

    Args:
        load: an agency's records; all there are, if it is left out.

    Raises:
        DataError: if the agency or a field is missing, or its step is another one.
    """
    name = service.settings.weather
    if name is None:
        return None
    known = [agency.name for agency in member.city_file.city.agencies]
    if name not in known:
        raise _refused(member, name, "not an agency of this city", did_you_mean(name, known))
    weather = load(member.city_file, name)
    lacking = [one for one in FIELDS if one not in [field.name for field in weather.fields]]
    if lacking:
        reason = f"it has no field {', '.join(lacking)}"
        raise _refused(member, name, reason, "name an agency that has temperature and rain")
    if weather.clock.step_s != panel.clock.step_s:
        reason = f"its step is {weather.clock.step_s} s, the party's {panel.clock.step_s} s"
        raise _refused(member, name, reason, "name an agency with the party's step")
    at_T = np.searchsorted(weather.time_T, panel.time_T)
    at_T = np.minimum(at_T, len(weather.time_T) - 1)
    same_T = weather.time_T[at_T] == panel.time_T
    values_TNF = np.where(same_T[:, None, None], weather.values_TNF[at_T], np.float32("nan"))
    for field in FIELDS:
        if not np.isfinite(values_TNF[:, 0, weather.field_index(field)]).any():
            reason = f"its {field} has no value in the party's span"
            raise _refused(member, name, reason, "choose a span with weather, or remove weather")
    return replace(weather, time_T=panel.time_T, values_TNF=values_TNF)


def _refused(member: Member, name: str, reason: str, right: str) -> DataError:
    return DataError([Problem(member.name, "weather", name, reason, right)])
