"""A thief of a store: it has the disk, a backup or the laptop, and not the keys."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.red_team.play import Ending, Stage, all_of, measured, play, stated, stopped_by
from benchmarks.red_team.stages.encrypted import new_key, storage_key
from benchmarks.red_team.stages.running_city import PASSWORD, RunningCity
from benchmarks.red_team.stages.simulated import NAMES, Simulated
from deepcity.city.errors import CheckpointError, LayerPackageError, StorageKeyError
from deepcity.store.at_rest.encrypted import is_encrypted
from deepcity.store.blob import SEAL, SIGNATURE, content_hash, pack, unpack
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.packages.layer_package import load_package
from deepcity.store.packages.ranges import RANGES, ranges_of
from deepcity.store.run_folder import layers_folder, site_folder
from deepcity.store.signatures.changes import revoke_key, trust_key
from deepcity.store.signatures.keyring import Keyring, own_keyring
from deepcity.store.signatures.trust_list import SignedKind, TrustedKey

WHO = "thief of a store"
READ, CHANGE = "stem, optimizers and measured values", "to have a changed package loaded"
_RUN = 64
"""Weights of a stem that are looked for in a row."""


@play(WHO, Stage.SIMULATED, READ)
def opens_a_checkpoint_without_its_key(stage: Simulated) -> Ending:
    """copies a site's folder, and opens its newest checkpoint with no key, then with its own"""
    run = stage.encrypted
    store = CheckpointStore(site_folder(run.folder, NAMES[0]) / "checkpoints")

    def opening() -> object:
        return store.load_latest("water.level_6")

    with run.key():
        assert opening() is not None
    without = stopped_by(StorageKeyError, "names none", opening)
    with storage_key(new_key()):
        other = stopped_by(StorageKeyError, "is encrypted with the key", opening)
    return all_of([without, other])


@play(WHO, Stage.SIMULATED, READ)
def searches_an_encrypted_site_for_its_stem(stage: Simulated) -> Ending:
    """looks in all files of a run with a key for the bytes of a private stem"""
    run = stage.encrypted
    with run.key():
        store = CheckpointStore(site_folder(run.folder, NAMES[0]) / "checkpoints")
        found = store.load_latest("water.level_6")
    assert found is not None
    tensors = {name: one for group in found.arrays.values() for name, one in group.items()}
    stems = [
        np.ascontiguousarray(one).tobytes()
        for name, one in tensors.items()
        if "stem" in name and one.dtype.kind == "f" and one.size >= _RUN
    ]
    assert stems, sorted(tensors)
    files = [one.read_bytes() for one in run.folder.rglob("*") if one.is_file()]
    assert any(map(is_encrypted, files))
    data = b"".join(files)
    held = sum(one[: 4 * _RUN] in data for one in stems)
    return measured(held, 0, f"of {len(stems)} tensors of a stem, found:")


@play(WHO, Stage.SIMULATED, "to roll a run back, or mix two")
def puts_another_training_s_checkpoint(stage: Simulated) -> Ending:
    """puts the checkpoint of one training in the place of another's"""
    folder = stage.folder / "swapped"
    shutil.copytree(stage.site_of(NAMES[0]) / "checkpoints", folder)
    alone = sorted(folder.glob("water.alone*.checkpoint"))[-1]
    for path in folder.glob("water.level_6*.checkpoint"):
        shutil.copy(alone, path)
    store = CheckpointStore(folder)
    return stopped_by(
        CheckpointError, "the file was renamed", lambda: store.load_latest("water.level_6")
    )


def _package(stage: Simulated) -> Path:
    """A signed package of common layers, as a run leaves it."""
    path = next(layers_folder(stage.run).glob("*.layers"))
    load_package(path)
    return path


def _sealed(
    stage: Simulated,
    name: str,
    change: Callable[[np.ndarray], np.ndarray],
    keyring: Keyring | None,
    *,
    ranges: bool = True,
) -> Path:
    """The package with one tensor changed, sealed again, and signed by a keyring if there is one.

    Args:
        ranges: whether the ranges of its numbers are stated anew.
    """
    arrays, header = unpack(_package(stage).read_bytes())
    layer = next(iter(arrays))
    arrays[layer] = {key: change(tensor) for key, tensor in arrays[layer].items()}
    header = {key: value for key, value in header.items() if key != SEAL}
    if ranges:
        header[RANGES] = ranges_of(arrays)
    if keyring is not None:
        header.pop(SIGNATURE)
        digest = content_hash(arrays, header)
        header[SIGNATURE] = keyring.sign(SignedKind.LAYERS, digest)
    digest = content_hash(arrays, {k: v for k, v in header.items() if k != SIGNATURE})
    folder = stage.folder / name
    folder.mkdir()
    path = folder / f"{header['name']}-{digest[:12]}.layers"
    path.write_bytes(pack(arrays, {**header, SEAL: digest}))
    return path


def _slightly(tensor: np.ndarray) -> np.ndarray:
    return tensor * np.float32(0.99)


def _loading(path: Path) -> Callable[[], object]:
    return lambda: load_package(path).manifest.sha256


@play(WHO, Stage.SIMULATED, CHANGE)
def edits_a_package_and_seals_it_again(stage: Simulated) -> Ending:
    """changes the weights of a signed package, and writes its seal, ranges and name anew"""
    path = _sealed(stage, "resealed", _slightly, None)
    return stopped_by(LayerPackageError, "was edited after it was signed", _loading(path))


@play(WHO, Stage.SIMULATED, CHANGE)
def signs_a_package_with_its_own_key(stage: Simulated) -> Ending:
    """changes a package, and signs it with a key that nobody here trusts"""
    thief = Keyring(stage.folder / "thief")
    path = _sealed(stage, "signed-by-thief", _slightly, thief)
    return stopped_by(LayerPackageError, "does not name", _loading(path))


@play(WHO, Stage.SIMULATED, CHANGE)
def signs_a_package_with_a_revoked_key(stage: Simulated) -> Ending:
    """signs a changed package with the key of a partner, which was stolen and then revoked"""
    partner = _partner(stage, "partner")
    path = _sealed(stage, "signed-by-partner", _slightly, partner)
    load_package(path)  # while the key is trusted, it counts
    revoke_key(own_keyring(), "partner", "stolen")
    return stopped_by(LayerPackageError, r"was revoked here on .* \(stolen\)", _loading(path))


@play(WHO, Stage.SIMULATED, CHANGE)
def signs_numbers_beyond_their_ranges(stage: Simulated) -> Ending:
    """with a stolen key that is trusted still, signs weights a million times as large"""
    partner = _partner(stage, "careless-partner")

    def greater(tensor: np.ndarray) -> np.ndarray:
        return (tensor * np.float32(1e6)).astype(tensor.dtype)

    path = _sealed(stage, "beyond", greater, partner, ranges=False)
    return stopped_by(LayerPackageError, "outside its declared range", _loading(path))


def _partner(stage: Simulated, name: str) -> Keyring:
    """The keyring of a city whose key is trusted here."""
    partner = Keyring(stage.folder / name)
    partner.sign(SignedKind.LAYERS, "00" * 32)
    key = partner.own_key()
    assert key is not None
    trust_key(own_keyring(), TrustedKey(name=name, key=key))
    return partner


@play(WHO, Stage.RUNNING_CITY, "passwords and tokens")
def looks_for_secrets_in_the_city_s_store(stage: RunningCity) -> Ending:
    """searches all files that a running city writes for passwords and tokens of its people"""
    stage.log_in("a-analyst")
    data = b"".join(
        one.read_bytes() for one in [*stage.state.rglob("*"), stage.node.log] if one.is_file()
    )
    assert data, "the city has written nothing"
    secret = (PASSWORD.encode(), stage.token.encode())
    return measured(sum(data.count(one) for one in secret), 0, "passwords and tokens found:")


@play(WHO, Stage.RUNNING_CITY, "records of a running city")
def reads_the_city_s_database(stage: RunningCity) -> Ending:
    """copies the database of a running city, and reads it with another program"""
    copy = stage.folder / "stolen.duckdb"
    shutil.copy(stage.state / "city.duckdb", copy)
    if (log := stage.state / "city.duckdb.wal").exists():
        shutil.copy(log, stage.folder / "stolen.duckdb.wal")
    with duckdb.connect(str(copy), read_only=False) as found:
        row = found.execute("select count(*) from events").fetchone()
    assert row is not None
    return stated(
        f"all {row[0]} events are read; what helps is DEEPCITY_STORAGE_KEY, or an encrypted disk"
    )
