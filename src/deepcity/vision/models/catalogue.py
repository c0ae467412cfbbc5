"""Networks by name: task, licence, official addresses, size and checksum of each file.

What stands in `open_model_zoo.toml` beside this file was read in the makers' own repository; no
network comes with deepcity.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field

from deepcity.city.errors import NetworkFileError
from deepcity.data.config.toml_file import Settings, did_you_mean, validate

Task = Literal["detection", "re-identification"]
DETECTOR, EMBEDDER = "pedestrian-detection-adas-0002", "person-reidentification-retail-0287"
"""What is used where no other is named."""
_FILE = "open_model_zoo.toml"


class NetworkFile(Settings):
    """One file of a build.

    Attributes:
        name: without a folder.
        size: bytes.
        sha384: of its bytes, in hexadecimal.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    size: Annotated[int, Field(gt=0)]
    sha384: Annotated[str, Field(pattern=r"^[0-9a-f]{96}$")]


class NetworkBuild(Settings):
    """The files of one release; builds of a network hold the same weights in other formats.

    Attributes:
        release: of the makers' collection.
        folder: official address; a file lies there under its name.
    """

    release: str
    folder: Annotated[str, Field(pattern=r"^https://")]
    file: Annotated[tuple[NetworkFile, ...], Field(min_length=1)]


class CameraNetwork(Settings):
    """A network for cameras.

    Attributes:
        task: detection: a picture to boxes of persons; re-identification: a crop of a person to an
            embedding.
        licence: SPDX identifier.
        page: the makers' description.
        input: images, channels (blue, green, red, 0 to 255), rows and columns.
        output: of a detection rows of image, label, confidence, left, top, right, bottom (shares
            of the picture); of a re-identification the numbers of an embedding.
        published: the makers' figure.
        gflops: of one image.
        build: newest first.
    """

    name: str
    task: Task
    licence: str
    page: str
    input: tuple[int, int, int, int]
    output: tuple[int, ...]
    published: str
    gflops: float
    build: Annotated[tuple[NetworkBuild, ...], Field(min_length=1)]

    @property
    def graph(self) -> str:
        """Name of the file that is opened; weights lie beside it."""
        return f"{self.name}.xml"

    @property
    def size(self) -> int:
        """Bytes of the newest build."""
        return sum(one.size for one in self.build[0].file)


class _Catalogue(Settings):
    network: tuple[CameraNetwork, ...]


@cache
def camera_networks() -> dict[str, CameraNetwork]:
    """All networks that are known, by name.

    >>> sorted({one.task for one in camera_networks().values()})
    ['detection', 're-identification']
    """
    import tomllib

    raw = tomllib.loads((files(__package__) / _FILE).read_text(encoding="utf-8"))
    found, problems = validate(_Catalogue, raw, _FILE)
    if found is None:  # a mistake of ours, which a test finds
        raise ValueError("; ".join(map(str, problems)))
    return {one.name: one for one in found.network}


def camera_network(name: str, task: Task | None = None) -> CameraNetwork:
    """The network of that name.

    Raises:
        NetworkFileError: if there is none, or it is for another task.
    """
    known = camera_networks()
    if name not in known:
        hint = did_you_mean(name, [one.name for one in known.values() if task in (None, one.task)])
        raise NetworkFileError(f"unknown network {name!r}: {hint}; an own file is given by --model")
    if task not in (None, known[name].task):
        fit = ", ".join(one.name for one in known.values() if one.task == task)
        raise NetworkFileError(f"{name} is for {known[name].task}, not for {task}; use {fit}")
    return known[name]
