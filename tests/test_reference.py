"""Every setting, domain, format and strategy stands in docs/reference.md.

An application says in its own file what it is (tests/applications): a new one costs no other edit.
"""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from deepcity.cli import app as cli
from deepcity.data.config.adjacency_settings import AdjacencySettings
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.config.settings import (
    AgencySettings,
    CitySettings,
    ClockSettings,
    FieldSettings,
    PlaceSettings,
    PlacesFromSettings,
)
from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.connectors import connectors
from deepcity.data.domains import domains
from deepcity.exchange.strategies import STRATEGIES
from deepcity.learning.features.inputs import WindowSettings
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.live import access
from deepcity.live.application import LiveApplication
from deepcity.maps import map_settings
from deepcity.maps.policy_settings import GrantTable, PolicySettings
from deepcity.maps.vertical_settings import FeaturePartySettings, VerticalSettings
from deepcity.web.api.app import create_app
from deepcity.web.api.limits import Limits

REFERENCE = (Path(__file__).parents[1] / "docs" / "reference.md").read_text(encoding="utf-8")
MODELS: list[type[BaseModel]] = [
    map_settings.MapSettings,
    map_settings.ServiceSettings,
    map_settings.SpanSettings,
    map_settings.GrantSettings,
    map_settings.ReuseSettings,
    map_settings.StrategySettings,
    VerticalSettings,
    FeaturePartySettings,
    map_settings.WireSettings,
    map_settings.ParticipationSettings,
    map_settings.PartyWindowSettings,
    WindowSettings,
    TrainingSettings,
    CitySettings,
    ClockSettings,
    AgencySettings,
    FieldSettings,
    PlaceSettings,
    PlacesFromSettings,
    AdjacencySettings,
    GridSettings,
    TimeSettings,
    PolicySettings,
    GrantTable,
    access.Access,
    access.AgencyEntry,
    access.GrantEntry,
    access.ReaderEntry,
    Limits,
    *[connector.settings for connector in connectors().values()],
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_setting_is_documented(model: type[BaseModel]) -> None:
    lacking = [
        name
        for name in (field.alias or key for key, field in model.model_fields.items())
        if not any(
            form in REFERENCE
            for form in (
                f"`{name}`",
                f"`[[{name}]]`",
                f"`[{name}]`",
                f"`[service.{name}]`",
                f"`[[service.vertical.{name}]]`",
            )
        )
    ]
    assert not lacking, f"docs/reference.md does not explain {', '.join(lacking)}"


@pytest.mark.parametrize(
    "registry", [domains, connectors, lambda: STRATEGIES], ids=lambda r: r.__name__
)
def test_every_part_is_documented(registry: Any) -> None:
    lacking = [str(name) for name in registry() if f"`{name}`" not in REFERENCE]
    assert not lacking, f"docs/reference.md does not mention {', '.join(lacking)}"


def test_every_route_is_documented(town_trained: Any) -> None:
    app = create_app(LiveApplication(town_trained.fused, None), access.Access())  # type: ignore[arg-type]
    lacking = [
        f"{verb.upper()} {path}"
        for path, verbs in app.openapi()["paths"].items()
        for verb in verbs
        if f"`{verb.upper()} {path}" not in REFERENCE
    ]
    assert app.openapi()["paths"]
    assert not lacking, f"docs/reference.md does not explain {', '.join(lacking)}"


def test_every_command_is_documented() -> None:
    names = [one.callback.__name__ for one in cli.registered_commands if one.callback]
    lacking = [name for name in names if f"`deepcity {name.replace('_', '-')}" not in REFERENCE]
    assert not lacking, f"docs/reference.md does not mention {', '.join(lacking)}"
