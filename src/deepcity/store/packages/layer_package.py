"""A layer package: trained layers and the facts about them, in one sealed file.

The file is safetensors with a canonical JSON manifest in its header; there is no pickle in
it. It is called `NAME-HASH.layers`, HASH being the first 12 digits of the content's
SHA-256. Its maker signs it; loading verifies all of it, and that the key is trusted here.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from deepcity import __version__
from deepcity.city.errors import LayerPackageError
from deepcity.city.level import Layers
from deepcity.store.atomic import write_atomic, write_error_text
from deepcity.store.blob import Arrays, BlobError, Header, seal, unpack
from deepcity.store.packages.manifest import FORMAT, Facts, Manifest
from deepcity.store.packages.ranges import RANGES, range_problems, ranges_of
from deepcity.store.packages.sealed_file import open_sealed, refusal
from deepcity.store.signatures.keyring import own_keyring
from deepcity.store.signatures.trust_list import SignedKind


@dataclass(frozen=True)
class LayerPackage:
    """A package that was verified (or just written)."""

    path: Path
    manifest: Manifest
    layers: Layers


def save_package(folder: Path, facts: Facts, layers: Layers) -> LayerPackage:
    """Write layers and facts as one file, named by its content.

    Equal facts and layers, signed by the same key, give equal bytes.

    Raises:
        LayerPackageError: if a tensor is not finite or no float, or the file cannot be written.
        KeyringError: if this installation has no key that it can use.
    """
    problems = _weight_problems(layers) or range_problems(layers, ranges_of(layers))
    if problems:
        raise LayerPackageError(
            f"{facts.name} cannot become a layer package: {'; '.join(problems)}. Train it again"
        )
    header: Header = {
        **facts.model_dump(mode="json"),
        "format": FORMAT,
        "layers": _table(layers),
        RANGES: ranges_of(layers),
        "deepcity": __version__,
    }
    try:
        blob = seal(layers, own_keyring().signed(SignedKind.LAYERS, layers, header))
    except BlobError as error:
        raise LayerPackageError(f"{facts.name} cannot become a layer package: {error}") from error
    arrays, sealed = unpack(blob)
    manifest = Manifest.model_validate(sealed)
    path = folder / manifest.file_name
    try:
        write_atomic(path, blob)
    except OSError as error:
        raise LayerPackageError(write_error_text(path, error, len(blob))) from error
    return LayerPackage(path, manifest, arrays)


def load_package(path: Path) -> LayerPackage:
    """Read a package and verify all of it.

    Raises:
        LayerPackageError: with every reason why it is refused.
        KeyringError: if it cannot be read whose signatures are believed.
    """
    arrays, header = open_sealed(path, FORMAT)
    try:
        manifest = Manifest.model_validate(header)
    except ValidationError as error:
        raise refusal(path, [f"manifest: {reason}" for reason in _reasons(error)]) from error
    problems = _name_problems(path, manifest)
    if _table(arrays) != header["layers"]:
        problems.append("its tensors lack the names, shapes and dtypes that its manifest says")
    problems += _weight_problems(arrays) or range_problems(arrays, header[RANGES])
    if problems:
        raise refusal(path, problems)
    return LayerPackage(path, manifest, arrays)


def _table(layers: Arrays) -> dict[str, dict[str, dict[str, object]]]:
    return {
        layer: {
            name: {"shape": list(tensor.shape), "dtype": tensor.dtype.name}
            for name, tensor in tensors.items()
        }
        for layer, tensors in layers.items()
    }


def _weight_problems(layers: Arrays) -> list[str]:
    problems = [] if any(layers.values()) else ["it holds no weights"]
    for layer, tensors in layers.items():
        for name, tensor in tensors.items():
            if tensor.dtype not in (np.float32, np.float64):
                problems.append(f"{layer}/{name} is {tensor.dtype}, weights are float32 or float64")
            elif not np.isfinite(tensor).all():
                bad = np.count_nonzero(~np.isfinite(tensor))
                problems.append(f"{layer}/{name} has {bad} of {tensor.size} weights not finite")
    return problems


def _name_problems(path: Path, manifest: Manifest) -> list[str]:
    if path.name == manifest.file_name:
        return []
    return [f"it was renamed or swapped: its content is that of {manifest.file_name}"]


def _reasons(error: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}" for wrong in error.errors()]
