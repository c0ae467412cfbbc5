"""Sealed files of a small town, mutated by a thief without its key, and by a maker who has it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import live_town
import numpy as np

from benchmarks.damaged_files import damaged
from benchmarks.mutated_files.mutations import Groups, of_arrays, of_json
from deepcity.learning.split.encoder_package import load_encoder
from deepcity.learning.split.fused_package import load_fused
from deepcity.store.blob import SEAL, SIGNATURE, BlobError, Header, content_hash, pack, unpack
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.packages.layer_package import load_package, save_package
from deepcity.store.packages.manifest import Facts
from deepcity.store.packages.ranges import RANGES, ranges_of
from deepcity.store.signatures.keyring import Keyring, own_keyring
from deepcity.store.signatures.trust_list import SignedKind

HOWS = ("damaged", "sealed again", "signed by a thief", "signed by its maker")
BY_MAKER = HOWS[-1]


class NotFiniteError(Exception):
    """A file that was read gives numbers that are not finite."""


@dataclass(frozen=True)
class SealedKind:
    """A kind of sealed file.

    Attributes:
        whole: one of them.
        name: the file name that is right for content of this hash.
        use: read and use a file; returns what tells its content.
    """

    kind: SignedKind
    whole: Path
    name: Callable[[Header, str], str]
    use: Callable[[Path], str]

    def mutated(self, how: str, folder: Path, draw: random.Random) -> Path:
        """Write a mutated file, under the name that is right for it."""
        whole = self.whole.read_bytes()
        if how == HOWS[0]:
            path = folder / self.whole.name
            path.write_bytes(damaged(whole, draw)[1])
            return path
        arrays, header = unpack(whole)
        for key in (SEAL, SIGNATURE) if how != HOWS[1] else (SEAL,):
            header.pop(key)
        arrays, header = _mutated(arrays, header, draw)
        try:
            digest = content_hash(arrays, header)
            if how != HOWS[1]:
                thief = Keyring(folder.parent / "thief")
                keyring = own_keyring() if how == BY_MAKER else thief
                header = {**header, SIGNATURE: keyring.sign(self.kind, digest)}
            data = pack(arrays, {**header, SEAL: digest})
        except BlobError:  # no such file can be written
            data, digest = b"", "0" * 64
        path = folder / self.name(header, digest)
        path.write_bytes(data)
        return path


def _mutated(arrays: Groups, header: Header, draw: random.Random) -> tuple[Groups, Header]:
    if draw.random() < 0.5:
        mutated = of_json(header, draw)
        return arrays, mutated if isinstance(mutated, dict) else header
    arrays = of_arrays(arrays, draw)
    if draw.random() < 0.5 and RANGES in header:  # whoever knows how, states them anew
        header = {**header, RANGES: ranges_of(arrays)}
    return arrays, header


def sealed_kinds(folder: Path) -> list[SealedKind]:
    """One of each kind, trained in a small town."""
    town = live_town.build(folder)
    layers = _layer_package(town, folder)
    checkpoint = _checkpoint(town, folder)
    return [
        SealedKind(
            SignedKind.LAYERS,
            layers,
            lambda header, digest: f"{_text(header.get('name'))}-{digest[:12]}.layers",
            lambda path: load_package(path).manifest.sha256,
        ),
        SealedKind(
            SignedKind.ENCODER,
            town.encoder_files["weather"],
            lambda _, digest: f"weather-{digest[:16]}.encoder",
            lambda path: _encoded(town, path),
        ),
        SealedKind(
            SignedKind.FUSED,
            town.fused_file,
            lambda _, digest: f"ridership-{digest[:16]}.fused",
            lambda path: _forecast(town, path),
        ),
        SealedKind(SignedKind.CHECKPOINT, checkpoint, lambda *_: checkpoint.name, _read_checkpoint),
    ]


def _layer_package(town: live_town.Town, folder: Path) -> Path:
    from datetime import UTC, datetime

    from deepcity.city.field import Kind

    facts = Facts(
        name="ridership-common",
        city="town",
        service="ridership",
        field_kinds=(Kind.COUNT,),
        step_seconds=3600,
        history_steps=4,
        horizon_steps=2,
        trained_from=datetime(2024, 5, 1, tzinfo=UTC),
        trained_to=datetime(2024, 5, 25, tzinfo=UTC),
        metrics={"relative_validation_error": 0.9},
    )
    return save_package(folder / "layers", facts, _weights(town)).path


def _checkpoint(town: live_town.Town, folder: Path) -> Path:
    values = {"best": 1.5, "errors": [1.0, 0.5], "site": "town/metro"}
    return CheckpointStore(folder / "saved").save("run", 3, _weights(town), values)


def _weights(town: live_town.Town) -> dict[str, dict[str, Any]]:
    state = town.encoders["weather"].encoder.state_dict()
    found: dict[str, dict[str, Any]] = {}
    for key, value in state.items():
        layer, _, name = key.rpartition(".")
        found.setdefault(layer or "h1", {})[name] = value.numpy()
    return found


def _encoded(town: live_town.Town, path: Path) -> str:
    package = load_encoder(path)
    times = live_town.NOW + live_town.HOUR * np.arange(3, dtype=np.int64)
    _check_finite(package.encode(town.panel("weather"), times).vectors_BCD)
    return package.version


def _forecast(town: live_town.Town, path: Path) -> str:
    package = load_fused(path)
    origins = np.arange(live_town.LEARNED_DAYS * 24, live_town.LEARNED_DAYS * 24 + 3)
    deep = {
        name: one.encode(town.panel("metro").time_T[origins]) for name, one in town.learners.items()
    }
    _check_finite(package.predict(town.inputs.samples(origins), deep))
    return package.version


def _read_checkpoint(path: Path) -> str:
    found = CheckpointStore(path.parent).load_latest("run")
    assert found is not None
    arrays = {group: dict(members) for group, members in found.arrays.items()}
    return content_hash(arrays, {"values": dict(found.values)})


def _check_finite(values: Any) -> None:
    if not np.isfinite(values).all():
        raise NotFiniteError


def _text(name: object) -> str:
    return name if isinstance(name, str) and name and "/" not in name and len(name) < 99 else "x"
