"""Private files are unreadable without their key, and read with it, whatever its source."""

import base64
import contextlib
import secrets

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import CheckpointError, StorageKeyError
from deepcity.store.at_rest.encrypted import MAGIC, encrypted, from_disk
from deepcity.store.at_rest.private_folder import decrypt_folder, encrypt_folder
from deepcity.store.at_rest.storage_key import STORAGE_KEY_VARIABLE, StorageKey, storage_keys
from deepcity.store.blob import BlobError
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.packages.sealed_file import read_sealed, write_sealed

ARRAYS = {"stem": {"w": np.full(100, 1.25, np.float32)}}
PLAIN = np.full(100, 1.25, np.float32).tobytes()


@pytest.fixture
def new_key(tmp_path):
    """A file with a new key, by name; returns its source."""

    def made(name):
        path = tmp_path / f"{name}.key"
        path.write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        return f"file:{path}"

    return made


@pytest.fixture
def use(monkeypatch):
    return lambda *sources: monkeypatch.setenv(STORAGE_KEY_VARIABLE, ",".join(sources))


def test_a_checkpoint_is_unreadable_without_its_key_and_is_not_skipped(use, new_key, tmp_path):
    store, key = CheckpointStore(tmp_path / "run"), new_key("own")
    store.save("run", 1, ARRAYS, {"best": 1})
    use(key)
    path = store.save("run", 2, ARRAYS, {"best": 2})
    assert path.read_bytes().startswith(MAGIC)
    assert PLAIN not in path.read_bytes()
    assert store.load_latest("run").values == {"best": 2}
    use()
    with pytest.raises(StorageKeyError, match=r"run\.000002\.checkpoint .*names none"):
        store.load_latest("run")  # the older one, which is not encrypted, is no way round it
    use(new_key("other"))
    with pytest.raises(StorageKeyError, match="is encrypted with the key"):
        store.load_latest("run")


def test_an_encrypted_checkpoint_that_was_changed_costs_a_round_and_not_the_run(
    use, new_key, tmp_path
):
    use(new_key("own"))
    store = CheckpointStore(tmp_path / "run")
    store.save("run", 1, ARRAYS, {})
    path = store.save("run", 2, ARRAYS, {})
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    found = store.load_latest("run")
    assert found.round == 1
    assert "changed or cut" in found.skipped[0]
    store.save("run", 2, ARRAYS, {})
    assert store.load_latest("run").round == 2


def test_equal_content_is_not_written_again(use, new_key, tmp_path):
    use(new_key("own"))
    store = CheckpointStore(tmp_path / "run")
    path = store.save("run", 1, ARRAYS, {})
    before = path.read_bytes()
    store.save("run", 1, ARRAYS, {})
    assert path.read_bytes() == before


def test_a_key_is_changed_by_naming_both_and_encrypting_anew(use, new_key, tmp_path):
    old, new, folder = new_key("old"), new_key("new"), tmp_path / "run"
    header = {"format": "deepcity-encoder-3"}
    plain = write_sealed(folder / "plain.encoder", ARRAYS, header)
    use(old)
    under_old = write_sealed(folder / "old.encoder", ARRAYS, header)
    use(new, old)
    assert encrypt_folder(folder) == (2, 2)
    assert encrypt_folder(folder) == (0, 2)
    use(new)
    for path in (plain, under_old):
        assert path.read_bytes().startswith(MAGIC)
        read_sealed(path, header["format"])
    assert decrypt_folder(folder) == (2, 2)
    use()
    assert PLAIN in plain.read_bytes()
    read_sealed(plain, header["format"])


def test_all_files_that_cannot_be_done_are_named_and_the_others_are_done(use, new_key, tmp_path):
    folder, lost = tmp_path / "run", new_key("lost")
    use(lost)
    for name in ("a", "b"):
        write_sealed(folder / f"{name}.encoder", ARRAYS, {"format": "deepcity-encoder-3"})
    use(new_key("own"))
    write_sealed(folder / "c.encoder", ARRAYS, {"format": "deepcity-encoder-3"})
    (folder / "result.json").write_text("{}")
    with pytest.raises(StorageKeyError, match=r"2 of 4 files .*a\.encoder.*b\.encoder"):
        encrypt_folder(folder)
    assert (folder / "result.json").read_bytes().startswith(MAGIC)


def test_a_key_comes_from_a_file_the_environment_or_a_command(use, monkeypatch, tmp_path):
    secret = secrets.token_bytes(32)
    text = base64.b64encode(secret).decode()
    (tmp_path / "key").write_text(text)
    monkeypatch.setenv("CITY_KEY", text)
    use(f"file:{tmp_path / 'key'}", "env:CITY_KEY", f"command:cat '{tmp_path / 'key'}'")
    assert [one.secret for one in storage_keys()] == [secret] * 3
    assert text not in repr(storage_keys())
    assert secret.hex() not in repr(storage_keys())


def test_every_source_without_a_key_is_named_and_no_key_is_printed(use, monkeypatch, tmp_path):
    text = base64.b64encode(b"short").decode()
    monkeypatch.setenv("SHORT", text)
    naked = base64.b64encode(secrets.token_bytes(32)).decode()
    use(
        "file:/nowhere/key", "env:SHORT", "env:UNSET", "command:false", naked, "command:echo hello!"
    )
    with pytest.raises(StorageKeyError) as refused:
        storage_keys()
    message = str(refused.value)
    for part in (
        "file:/nowhere/key: No such file",
        "env:SHORT: it gives 5 bytes, not 32",
        "env:UNSET: it gives 0 bytes",
        "command:false: it ended with 1",
        "a source without a kind",
        "command:echo: what it gives is no Base64",
    ):
        assert part in message
    for secret in (text, naked, "hello"):
        assert secret not in message


def test_nothing_is_written_in_the_open_where_the_key_cannot_be_had(use, tmp_path):
    use("file:/nowhere/key")
    with pytest.raises(StorageKeyError, match="is not written"):
        CheckpointStore(tmp_path).save("run", 1, ARRAYS, {})
    assert not list(tmp_path.iterdir())


@given(data=st.binary(max_size=300), place=st.integers(0, 400), bit=st.integers(0, 7))
def test_any_changed_bit_of_encrypted_bytes_is_noticed(data, place, bit):
    key = StorageKey(b"k" * 32)
    whole = bytearray(encrypted(data, key))
    whole[place % len(whole)] ^= 1 << bit
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEY", base64.b64encode(key.secret).decode())
        patch.setenv(STORAGE_KEY_VARIABLE, "env:KEY")
        with contextlib.suppress(BlobError, StorageKeyError):
            assert from_disk(bytes(whole)) == bytes(whole)  # no magic: no encrypted file
        assert from_disk(encrypted(data, key)) == data


def test_the_error_of_results_names_the_file(use, new_key, tmp_path):
    from deepcity.runs.results import SiteResults
    from deepcity.store.run_folder import read_results, write_file

    use(new_key("own"))
    path = tmp_path / "result.json"
    write_file(path, SiteResults(site="a", services={}).model_dump_json().encode(), private=True)
    assert path.read_bytes().startswith(MAGIC)
    assert read_results(path, SiteResults, "deepcity run").site == "a"
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(CheckpointError, match=r"result\.json: .*changed or cut"):
        read_results(path, SiteResults, "deepcity run")
    path.write_bytes(data)
    use()
    with pytest.raises(StorageKeyError, match=r"result\.json cannot be read"):
        read_results(path, SiteResults, "deepcity run")
