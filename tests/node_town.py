"""The small town of `live_town` as a city that a node runs: its metro's rows are in the node's
folder, the weather office's in one of its own. A second service may forecast with other encoders.
"""

import shutil
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from live_server import TOKENS
from live_town import TOWN, Town, records

from deepcity.data.city_file import check_city
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.networks.encoder import Encoder
from deepcity.learning.split import fused_package
from deepcity.learning.split.encoder_package import EncoderPackage, package_encoder, save_encoder
from deepcity.learning.split.fused_package import FusedPackage, save_fused
from deepcity.live.access import Access
from deepcity.live.deep_store import open_deep_store
from deepcity.live.node.clock import LiveClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import find_forecasters, sources_of
from deepcity.live.node.received import ReceivedDeepData
from deepcity.live.vertical_forecasts import VerticalForecaster
from deepcity.store.open_store import deep_store_url, open_events
from deepcity.store.packages.sealed_file import version_of

LONG_DAYS = 36_500  # the town lives in other years
OTHER = "crowding"
"""The second service."""


@dataclass(frozen=True)
class SecondService:
    """An application with encoders of its own, trained as the town's."""

    fused: FusedPackage
    fused_file: Path
    encoders: dict[str, EncoderPackage]
    encoder_files: dict[str, Path]


def second_service(town: Town, folder: Path) -> SecondService:
    """The town's application under another name: its encoders have versions of their own."""
    encoders = {
        name: package_encoder(replace(one.facts, service=OTHER), *_trained(town, name))
        for name, one in town.encoders.items()
    }
    facts = town.fused.facts
    agencies = tuple(replace(one, space=encoders[one.name].space) for one in facts.agencies)
    fused = replace(town.fused, facts=replace(facts, service=OTHER, agencies=agencies))
    fused = replace(fused, version=version_of(*fused_package._content(fused)))
    files = {name: save_encoder(folder, one) for name, one in encoders.items()}
    return SecondService(fused, save_fused(folder, fused), encoders, files)


def _trained(town: Town, name: str) -> tuple[Columns, Encoder]:
    return town.learners[name].columns, town.learners[name].encoder


def city_folder(folder: Path, hours: int, *fused_files: Path) -> Path:
    """A node's folder, with the metro's rows alone; gives its city file."""
    folder.mkdir(parents=True)
    path = folder / "town.toml"
    path.write_text(TOWN, encoding="utf-8")
    grow(folder, "riders", hours)
    for file in fused_files:
        packages = folder / "run" / "sites" / "town.metro" / "packages" / "metro"
        packages.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, packages)
    return path


def grow(folder: Path, name: str, hours: int) -> None:
    """Let a file of records reach so many hours; lines are appended."""
    path, lines = folder / f"{name}.csv", records()[name][: 1 + hours]
    known = path.read_text(encoding="utf-8").count("\n") if path.exists() else 0
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines[known:]))


def access_file(path: Path, *services: str) -> Path:
    """Both agencies grant these services."""
    grants = "".join(f'[[agency.grant]]\nservice = "{one}"\n' for one in services)
    entries = [f'[[agency]]\nname = "{n}"\ntoken = "{t}"\n{grants}' for n, t in TOKENS.items()]
    path.write_text("\n".join(entries), encoding="utf-8")
    return path


@contextmanager
def town_node(city: Path, access: Access, wall: Callable[[], float], url: str):
    """A node of the town in this process, by a clock of the test's, that has done one step."""
    city_file, problems = check_city(city, later=True)
    assert city_file is not None, problems
    found = find_forecasters([city.parent / "run"], city_file).forecasters
    packages = [one.package for one in found if isinstance(one, VerticalForecaster)]
    deep = open_deep_store(deep_store_url(url), access, "town", packages, LONG_DAYS)
    with open_events(url) as events, deep as store:
        received = ReceivedDeepData(access, store, packages)
        spool = city.parent / "spool"
        sources = sources_of(found, city_file, spool, replay=False, received=received)
        node = Node(city_file, sources, found, events, LiveClock(wall=wall), received=received)
        try:
            node.resume()
            node.tick()
            yield node
        finally:
            node.close()
