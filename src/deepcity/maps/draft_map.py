"""A first map for a city: services in sizes that its records bear.

Shapes: T steps, N places, F fields.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepcity.applications.application import Application, applications
from deepcity.city.clock import DAY_S
from deepcity.city.errors import DataError
from deepcity.city.field import Field, Kind
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile
from deepcity.data.panel import Panel

MAX_SERVICES = 3
MAX_HORIZON = 96  # steps; a run's time grows with it
ROWS_ENOUGH = 60_000  # of training: more origins than these are thinned
_WEATHER = (Kind.TEMPERATURE, Kind.RAIN, Kind.HUMIDITY, Kind.WIND, Kind.PRESSURE, Kind.SHARE)
_BY_UNIT = {
    "people": "people", "passengers": "ridership", "bikes": "ridership", "vehicles": "traffic",
    "offences": "crime-prevention", "incidents": "measurements", "spaces": "parking",
    "count": "measurements",
}  # fmt: skip
_LAST = "measurements"


@dataclass(frozen=True)
class Sizes:
    """Sizes of a service, in steps and days.

    Attributes:
        stride: use every n-th origin, in training and in tests.
    """

    history: int
    horizon: int
    days: int
    validation_days: int
    test_days: int
    stride: int
    test_stride: int


def draft_map(city_file: CityFile, panels: Mapping[str, Panel]) -> str:
    """The text of a map that lies beside the city file.

    Raises:
        DataError: if the records are too short for any forecast.
    """
    city = city_file.city
    services = _services(panels)
    head = [
        f"# A first map of {city.name}: run it with `deepcity run {city.name}.map.toml`.",
        "# Sizes fit the records at hand; longer ones need larger spans.",
        "",
        f'name = "{city.name}"',
        f"title = {{ en = {_text(city.title.en)}, ko = {_text(city.title.ko)} }}",
        f'cities = ["{city_file.path.name}"]',
        "seed = 0",
    ]
    for name, (field, parties, application) in services.items():
        span = [panels[party] for party in parties]
        sizes = sizes_of(span, application, city.name)
        head += _service(name, field.name, [f"{city.name}/{one}" for one in parties],
                         application, sizes)  # fmt: skip
    return "\n".join(head) + "\n"


def _services(
    panels: Mapping[str, Panel],
) -> dict[str, tuple[Field, list[str], Application]]:
    """Fields worth forecasting, the weather's only where there are no others."""
    found: dict[str, tuple[Field, list[str], Application]] = {}
    wanted = [
        (agency, field)
        for agency, panel in panels.items()
        for f, field in enumerate(panel.fields)
        if _varies(panel, f)
    ]
    ranks = {(agency, field.name): _rank(field) for agency, field in wanted}
    best = min(ranks.values(), default=0)
    for agency, field in [one for one in wanted if ranks[one[0], one[1].name] == best]:
        application = _application(field)
        if application is None:
            continue
        if field.name in found and found[field.name][0] == field:
            found[field.name][1].append(agency)
        elif len(found) < MAX_SERVICES:
            found.setdefault(field.name, (field, [agency], application))
    return found


def _rank(field: Field) -> int:
    """A known quantity before a number of an unknown one, and both before the weather."""
    return 2 if field.kind in _WEATHER else int(field.unit == "1")


def _varies(panel: Panel, f: int) -> bool:
    known = panel.values_TNF[:, :, f][panel.mask_TNF[:, :, f]]
    return bool(len(known) and known.min() < known.max())


def _application(field: Field) -> Application | None:
    known = applications()
    likely = _BY_UNIT.get(field.unit, "")
    order = [likely, "air", "electricity", "traffic", "parking", "people", "water", _LAST]
    if field.unit == "1":  # of an unknown quantity: it would pass for a share of spaces
        order = [_LAST]
    fitting = [known[name] for name in order if name in known]
    return next((one for one in fitting if one.target_of(field) is not None), None)


def sizes_of(panels: list[Panel], application: Application, city: str) -> Sizes:
    """Sizes that the shortest records bear.

    Raises:
        DataError: if they are shorter than anything can be learned from.
    """
    step_s = max(panel.clock.step_s for panel in panels)
    per_day = max(1, DAY_S // step_s)
    days = min(len(panel.time_T) * panel.clock.step_s / DAY_S for panel in panels)
    horizon = max(1, min(application.horizon_steps(step_s), MAX_HORIZON, per_day))
    horizon = 7 if step_s >= DAY_S else horizon
    test = max(1, min(60, int(days * 0.15)))
    validation = max(1, min(45, int(days * 0.12)))
    train = days - test - validation
    window = min(14, int(train / 3))
    history = max(2, min(2 * per_day, 48, int(train * per_day / 4)))
    if train * per_day < 3 * horizon + history or train < 2:
        text = f"{days:.1f} days of records: too few to learn a forecast of {horizon} steps from"
        right = "add records of more days"
        raise DataError([Problem(f"{city}.toml", "records", None, text, right)])
    places = sum(len(panel.places) for panel in panels)
    rows = train * per_day * places
    stride = int(np.clip(round(rows / ROWS_ENOUGH), 1, per_day))
    stride = max(stride, 4 if rows > ROWS_ENOUGH / 4 and per_day >= 24 else 1)
    test_stride = max(1, math.ceil(per_day / 6))
    return Sizes(history, horizon, window, validation, test, _odd(stride), _odd(test_stride))


def _odd(stride: int) -> int:
    """No divisor of a day, so that origins are at every hour."""
    return stride + 1 if stride > 1 and stride % 2 == 0 else stride


def _service(
    name: str, field: str, parties: list[str], application: Application, sizes: Sizes
) -> list[str]:
    listed = ", ".join(f'"{one}"' for one in parties)
    alone = len(parties) == 1
    return [
        "",
        "[[service]]",
        f'name = "{name}"',
        f'application = "{application.name}"',
        f"parties = [{listed}]",
        f'field = "{field}"',
        'experts = ["network", "typical_day", "yesterday"]   # quick; without this line better',
        *(["levels = []   # a single party trains alone"] if alone else ["levels = [3, 6]"]),
        "pooled = false",
        'grant = { truths = "shared" }   # the report shows a week of measured values',
        "",
        "[service.window]",
        f"history = {sizes.history}",
        f"horizon = {sizes.horizon}",
        f"days = {sizes.days}",
        "",
        "[service.training]",
        "rounds = 8",
        "local_steps = 30",
        "batch_size = 64",
        f"stride = {sizes.stride}",
        "",
        "[service.span]",
        f"validation_days = {sizes.validation_days}",
        f"validation_stride = {sizes.test_stride}",
        f"test_days = {sizes.test_days}",
        f"test_stride = {sizes.test_stride}",
    ]


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
