"""Notes of a run on parties that an application was not designed for.

A field of another kind or quantity is refused when the map is read. The domain of an agency and
the horizon are a city's own decision: these only give notes.
"""

from collections.abc import Mapping

from deepcity.city.clock import DAY_S
from deepcity.exchange.profile import SiteProfile
from deepcity.maps.city_map import Service
from deepcity.runs.note import Note

_HOUR_S = DAY_S / 24


def application_notes(service: Service, profiles: Mapping[str, SiteProfile]) -> list[Note]:
    """Notes on agencies of domains it does not read, and on horizons unlike its decision's."""
    application = service.application
    foreign = [m.name for m in service.members if m.agency.domain not in application.reads]
    reads = ", ".join(application.reads)
    found = (
        [Note(code="domain_not_read", names={"reads": reads, "who": ", ".join(foreign)})]
        if foreign
        else []
    )
    steps = {name: service.settings.window_of(name).horizon for name in profiles}
    needed = {name: application.horizon_steps(one.step_s) for name, one in profiles.items()}
    for code, some in (
        ("horizon_shorter", [name for name in steps if steps[name] < needed[name]]),
        ("horizon_longer", [name for name in steps if steps[name] > needed[name]]),
    ):
        if some:
            hours = {name: steps[name] * profiles[name].step_s / _HOUR_S for name in some}
            who = ", ".join(f"{name} ({hours[name]:g} h)" for name in some)
            numbers = {"hours": application.horizon_hours}
            found.append(Note(code=code, numbers=numbers, names={"who": who}))
    return found
