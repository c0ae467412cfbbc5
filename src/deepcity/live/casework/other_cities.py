"""A TOML file of the cities that a search may ask: where each answers, and where its cameras are.

passers_by_h = 100                 # people past one camera in an hour; left out, 100

[[city]]
name = "seoul"
address = "https://cases.seoul.example:8443"   # of its `deepcity case answer`
certificate = "seoul.pem"          # of whoever signed its TLS certificate; left out, as usual
cameras = [
  { id = "gate-1", lat = 37.5665, lon = 126.9780 },
]
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from deepcity.applications.tasks.matching.match_state import Spot
from deepcity.city.errors import ConfigError
from deepcity.data.config.settings import NAME
from deepcity.data.config.toml_file import Settings, read_toml, validate, wrong

Name = Annotated[str, Field(pattern=NAME, max_length=200)]


class CameraPlace(Settings):
    """Where a camera is, degrees (WGS 84)."""

    id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$")]
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class OtherCity(Settings):
    """One city.

    Attributes:
        address: where it answers; None: it is not asked over a network (the own city, or one whose
            cameras are known alone).
        certificate: file of the authority of its TLS certificate, beside this file; None: those of
            the system.
    """

    name: Name
    address: Annotated[str, Field(pattern=r"^https?://[^\s/]+/?$", max_length=300)] | None = None
    certificate: Path | None = None
    cameras: tuple[CameraPlace, ...] = ()

    @model_validator(mode="after")
    def _cameras_once(self) -> "OtherCity":
        counts = Counter(one.id for one in self.cameras)
        if twice := next((name for name, count in counts.items() if count > 1), None):
            raise wrong(f"{twice} is there twice", "name each camera once", "cameras")
        return self


class OtherCities(Settings):
    """All of them."""

    passers_by_h: Annotated[float, Field(gt=0, le=1e6)] = 100.0
    city: Annotated[tuple[OtherCity, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _cities_once(self) -> "OtherCities":
        counts = Counter(one.name for one in self.city)
        if twice := next((name for name, count in counts.items() if count > 1), None):
            raise wrong(f"{twice} is there twice", "write each city once", "city")
        return self

    @property
    def spots(self) -> dict[str, Spot]:
        """Where cameras are, by ``CITY/CAMERA``."""
        return {
            f"{city.name}/{one.id}": Spot(one.lat, one.lon)
            for city in self.city
            for one in city.cameras
        }


def read_other_cities(path: Path) -> OtherCities:
    """Read such a file; certificates are found beside it.

    Raises:
        ConfigError: with every problem of it.
    """
    raw, problems = read_toml(path)
    if raw is None:
        raise ConfigError(problems)
    found, problems = validate(OtherCities, raw, path.name)
    if found is None or problems:
        raise ConfigError(problems)
    cities = tuple(
        one.model_copy(
            update={"certificate": one.certificate and (path.parent / one.certificate).absolute()}
        )
        for one in found.city
    )
    return found.model_copy(update={"city": cities})
