"""The map, the seeds and the measures that several parts share."""

from dataclasses import replace
from pathlib import Path

from deepcity.maps.city_map import Service, load_map

ROOT = Path(__file__).parents[2]
MAP = ROOT / "cities" / "demo.toml"
SEEDS = (0, 1, 2)
EXPERTS = ("network", "typical_day", "yesterday")  # those the tables were measured with
MB = 1024.0  # Linux counts kilobytes


def water(**scarce: float) -> Service:
    """The demo's water service; by default every district has all its days."""
    service = next(found for found in load_map(MAP).services if found.settings.name == "water")
    span = service.settings.span.model_copy(update={"scarce": scarce})
    update = {"span": span, "experts": EXPERTS}
    return replace(service, settings=service.settings.model_copy(update=update))
