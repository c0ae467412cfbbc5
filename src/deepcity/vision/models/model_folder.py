"""Where networks lie on this machine, and whether they are the makers' files."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import NetworkFileError
from deepcity.city.regular_file import check_regular
from deepcity.vision.models.catalogue import CameraNetwork, NetworkBuild, NetworkFile

_PIECE = 1 << 20
MOST_OWN_BYTES = 2_000_000_000
"""Of an operator's own network: larger files are a mistake."""


@dataclass(frozen=True)
class NetworkPath:
    """A network on this machine.

    Attributes:
        name: by which its embeddings are known; networks of other names do not compare.
        graph: the file that is opened.
    """

    name: str
    graph: Path


def default_folder() -> Path:
    """The user's own folder of networks."""
    import platformdirs

    return Path(platformdirs.user_data_dir("deepcity")) / "models"


def build_in(network: CameraNetwork, folder: Path) -> NetworkBuild | None:
    """Which known build lies in a folder, by the checksums of all of its files; None: none does."""
    found = {
        name: _digest_in(folder / name, sizes) for name, sizes in _known_sizes(network).items()
    }
    for build in network.build:
        if all(found[one.name] == one.sha384 for one in build.file):
            return build
    return None


def located(network: CameraNetwork, folder: Path) -> NetworkPath:
    """A network of the catalogue that lies in a folder, checked.

    Raises:
        NetworkFileError: if it is not there, or is not what its makers published.
    """
    fetch = f"deepcity models fetch {network.name}"
    if folder != default_folder():
        fetch += f" --to {folder}"
    lacking = [one.name for one in network.build[0].file if not (folder / one.name).is_file()]
    if lacking:
        raise NetworkFileError(f"{folder}: {', '.join(lacking)} not there; run `{fetch}`")
    if build_in(network, folder) is None:
        raise NetworkFileError(
            f"{folder / network.graph}: its files have not the checksums of any build of "
            f"{network.name}: cut, changed, or mixed from two builds. Run `{fetch}`; if it is a "
            f"network of your own, give it as --model"
        )
    return NetworkPath(network.name, folder / network.graph)


def own_network(graph: Path) -> NetworkPath:
    """An operator's own file, .xml with its .bin, or .onnx; named by its content.

    Raises:
        NetworkFileError: if it is not there, is no such file, or is larger than any network.
    """
    if graph.suffix not in (".xml", ".onnx"):
        raise NetworkFileError(f"{graph}: give an OpenVINO .xml (with its .bin) or an .onnx file")
    files = [graph] if graph.suffix == ".onnx" else [graph, graph.with_suffix(".bin")]
    digest = hashlib.sha256()
    for one in files:
        try:
            check_regular(one)
            size = one.stat().st_size
            if size > MOST_OWN_BYTES:
                raise NetworkFileError(
                    f"{one}: {size:,} bytes, {MOST_OWN_BYTES:,} are the most; give a network"
                )
            digest.update(bytes.fromhex(file_digest(one, "sha256")))
        except FileNotFoundError as error:
            right = "give its path" if one == graph else "it holds the weights; copy it beside"
            raise NetworkFileError(f"{one}: no such file; {right}") from error
        except OSError as error:
            raise NetworkFileError(f"{one}: {error.strerror}; give a file") from error
    return NetworkPath(f"{graph.stem}-{digest.hexdigest()[:12]}", graph)


def file_digest(path: Path, method: str = "sha384") -> str:
    """A file's digest in hexadecimal, read in pieces."""
    digest = hashlib.new(method)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def is_file_of(path: Path, file: NetworkFile) -> bool:
    """Whether a path holds exactly this file."""
    return _digest_in(path, {file.size}) == file.sha384


def _digest_in(path: Path, sizes: set[int]) -> str:
    """Empty where there is no file of one of these sizes: none is read in vain."""
    if not path.is_file() or path.stat().st_size not in sizes:
        return ""
    return file_digest(path)


def _known_sizes(network: CameraNetwork) -> dict[str, set[int]]:
    sizes: dict[str, set[int]] = {}
    for build in network.build:
        for one in build.file:
            sizes.setdefault(one.name, set()).add(one.size)
    return sizes
