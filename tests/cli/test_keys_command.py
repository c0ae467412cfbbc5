"""`deepcity keys`, over real packages and checkpoints of another installation."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from deepcity.city.errors import CheckpointError, KeyringError, LayerPackageError
from deepcity.cli import app
from deepcity.store.blob import seal, unseal
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.packages.sealed_file import read_sealed, write_sealed
from deepcity.store.signatures.keyring import FOLDER_VARIABLE

ARRAYS = {"encoder": {"w": np.ones(3, np.float32)}}
HEADER = {"format": "deepcity-encoder-3"}


@pytest.fixture
def at(monkeypatch, tmp_path):
    """Become an installation by name."""
    return lambda name: monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / name))


def keys(*arguments):
    done = CliRunner().invoke(app, ["keys", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def own_key():
    return json.loads(keys("show", "--json"))["own"]


def test_a_package_of_another_is_refused_until_its_key_is_trusted(at, tmp_path):
    at("ferrara")
    path = write_sealed(tmp_path / "a.encoder", ARRAYS, HEADER)
    key = own_key()
    at("namsan")
    with pytest.raises(
        LayerPackageError, match=f"nothing of it was used: it is signed with key {key}"
    ):
        read_sealed(path, HEADER["format"])
    assert "ferrara: encoder is believed" in keys("trust", "ferrara", key, "--kind", "encoder")
    read_sealed(path, HEADER["format"])
    keys("revoke", "ferrara", "--reason", "stolen")
    with pytest.raises(LayerPackageError, match="stolen"):
        read_sealed(path, HEADER["format"])
    assert re.search(rf"revoked +{key} +ferrara, on .*: stolen", keys("show"))


def test_a_checkpoint_of_another_is_refused_until_it_is_signed_here(at, tmp_path):
    at("ferrara")
    path = CheckpointStore(tmp_path).save("run", 3, ARRAYS, {"best": 1.5})
    at("namsan")
    with pytest.raises(
        CheckpointError, match=r"is not trusted: .*deepcity keys trust NAME [0-9a-f]{64}$"
    ):
        CheckpointStore(tmp_path).load_latest("run")
    assert f"{path}: signed as checkpoint" in keys("sign", path)
    assert CheckpointStore(tmp_path).load_latest("run").values == {"best": 1.5}


def test_a_checkpoint_without_a_signature_names_the_command_that_signs_it(at, tmp_path):
    at("namsan")
    path = CheckpointStore(tmp_path).save("run", 3, ARRAYS, {})
    arrays, header = unseal(path.read_bytes())
    header.pop("signature")
    path.write_bytes(seal(arrays, header))
    with pytest.raises(CheckpointError, match="deepcity keys sign FILE"):
        CheckpointStore(tmp_path).load_latest("run")
    keys("sign", path)
    assert CheckpointStore(tmp_path).load_latest("run").round == 3


def test_what_is_signed_with_the_former_key_stays_believed(at, tmp_path):
    at("namsan")
    path = write_sealed(tmp_path / "a.encoder", ARRAYS, HEADER)
    former = own_key()
    assert former not in keys("rotate")
    read_sealed(path, HEADER["format"])
    assert "sign with a new one" not in keys("revoke", former)
    with pytest.raises(LayerPackageError, match="was revoked"):
        read_sealed(path, HEADER["format"])
    assert "sign with a new one" in keys("revoke", own_key())


def test_a_successor_is_taken_from_the_file_that_rotate_wrote(at, tmp_path):
    at("ferrara")
    write_sealed(tmp_path / "former.encoder", ARRAYS, HEADER)
    former = own_key()
    at("namsan")
    keys("trust", "ferrara", former, "--kind", "encoder", "--until", "2999-12-31")
    at("ferrara")
    file = re.search(r"successor +(.*\.json)", keys("rotate", "--days", 5))[1]
    new, path = own_key(), write_sealed(tmp_path / "a.encoder", ARRAYS, HEADER)
    at("namsan")
    with pytest.raises(LayerPackageError, match="deepcity keys accept FILE"):
        read_sealed(path, HEADER["format"])
    assert "ferrara: encoder is believed until 2999-12-31" in keys("accept", file)
    read_sealed(path, HEADER["format"])
    assert re.search(rf"successor +{new} +ferrara: of {former[:16]}…, from ", keys("show"))
    with pytest.raises(KeyringError, match="There is nothing to do"):
        keys("accept", file)
    assert f"Its successor {new} is still believed" in keys("revoke", former)
    assert "still believed" not in keys("revoke", "ferrara")
    with pytest.raises(LayerPackageError, match="was revoked"):
        read_sealed(path, HEADER["format"])
    assert "successor" not in keys("rotate", "--stolen")
    taught = " ".join(keys("accept", "--help").split())
    assert "needs no other way" in taught


def test_wrong_arguments_name_the_value_and_the_next_step(at, tmp_path):
    at("namsan")
    with pytest.raises(KeyringError, match=r"key: .*kinds\.0: .*deepcity keys show"):
        keys("trust", "ferrara", "abc", "--kind", "photo")
    with pytest.raises(KeyringError, match="has passed"):
        keys("trust", "ferrara", "ab" * 32, "--until", "2020-01-01")
    with pytest.raises(KeyringError, match=r"none of the files that are signed: \.layers"):
        keys("sign", tmp_path / "a.zip")
    (tmp_path / "a.layers").write_bytes(b"PK")
    with pytest.raises(KeyringError, match="zip archive"):
        keys("sign", tmp_path / "a.layers")
    with pytest.raises(KeyringError, match="cannot be read"):
        keys("sign", tmp_path / "gone.layers")
    assert not (tmp_path / "namsan" / "trust.json").exists()
