"""Who is looked for, and sightings, as they are written on the command line."""

import json
import re
from math import isfinite
from pathlib import Path

import numpy as np
import typer

from deepcity.applications.tasks.matching.match_state import Spot
from deepcity.city.regular_file import read_regular
from deepcity.vision.searching.person_query import PersonQuery

_MOST_BYTES = 10_000_000


def query_from(
    embeddings: Path | None, height: str | None, upper: list[str], lower: list[str]
) -> PersonQuery:
    """The query of a search.

    Raises:
        typer.BadParameter: naming what is wrong with it.
    """
    network, rows = ("", np.zeros((0, 0))) if embeddings is None else _embeddings(embeddings)
    try:
        return PersonQuery(network, rows, _height(height), frozenset(upper), frozenset(lower))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def spot_from(text: str) -> Spot:
    """``LAT,LON``.

    Raises:
        typer.BadParameter: if it is none.
    """
    try:
        lat, lon = (float(one) for one in text.split(","))
    except ValueError:
        lat = lon = float("nan")
    if not (isfinite(lat) and isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        raise typer.BadParameter(f"{text!r} is no place; write degrees: 37.4563,126.7052")
    return Spot(lat, lon)


def sighting_from(text: str) -> tuple[str, str, int]:
    """``CITY/CAMERA@SECONDS``, as `deepcity case show` prints it.

    Raises:
        typer.BadParameter: if it is none.
    """
    found = re.fullmatch(r"([^/@]+)/(.+)@([0-9]{1,11})", text)
    if found is None:
        raise typer.BadParameter(
            f"{text!r} is no sighting; write it as `deepcity case show` does: "
            f"seoul/gate-1@1800000000"
        )
    return found[1], found[2], int(found[3])


def _height(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    found = re.fullmatch(r"\s*([0-9]+\.?[0-9]*)\s*[-–~]\s*([0-9]+\.?[0-9]*)\s*", text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no height; write least and most metres: 1.0-1.2")
    return float(found[1]), float(found[2])


def _embeddings(path: Path) -> tuple[str, np.ndarray]:
    """Network and rows of ``{"network": NAME, "embeddings": [[...], ...]}``."""
    try:
        found = json.loads(read_regular(path, _MOST_BYTES))
        rows = np.array(found["embeddings"], dtype=np.float64)
        network = found["network"]
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise typer.BadParameter(
            f'{path} holds no embeddings ({error}); it must be {{"network": "NAME", "embeddings": '
            f"[[...]]}}, as `deepcity cameras embed` writes it"
        ) from error
    if not isinstance(network, str) or rows.ndim != 2:
        raise typer.BadParameter(
            f"{path}: give the network's name and one row of numbers a picture"
        )
    return network, rows
