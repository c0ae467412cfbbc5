import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.store.blob import BlobError, canonical_json, content_hash, pack, seal, unpack, unseal

TINY = {"h1": {"w": np.array([1.5, -2.0], np.float32)}}


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    )
)
def test_header_comes_back_exactly(value):
    _, header = unpack(pack({}, {"value": value}))
    assert header == {"value": value}
    assert canonical_json(header) == canonical_json({"value": value})


def test_bytes_of_a_known_blob_never_change():
    # files of years ago must still verify: a change here is a new format
    blob = seal({**TINY, "h2": {}}, {"b": 0.1, "a": "물"})
    assert (
        hashlib.sha256(blob).hexdigest()
        == "1847abf2b7d0d9d992ffee0c0f7faa7e0824d6bfdb03fc7a9d614fb2e7fbb032"
    )


def test_seal_is_the_hash_of_the_unsealed_bytes():
    _, header = unseal(seal(TINY, {"a": 1}))
    assert header["sha256"] == hashlib.sha256(pack(TINY, {"a": 1})).hexdigest()
    assert header["sha256"] == content_hash(TINY, header)


@pytest.mark.parametrize("header", [{"a": 1}, {"a": 1, "sha256": "0" * 64}, {"sha256": None}])
def test_unsealed_or_wrongly_sealed_is_refused(header):
    with pytest.raises(BlobError, match="header holds hash"):
        unseal(pack(TINY, header))


def test_sealing_twice_changes_nothing():
    arrays, header = unseal(seal(TINY, {"a": 1}))
    assert seal(arrays, header) == seal(TINY, {"a": 1})


def test_other_writers_layouts_are_refused():
    from safetensors.numpy import save

    with pytest.raises(BlobError, match="cannot be read"):
        unpack(save({"h1/w": np.ones(2, np.float32)}))
    known = pack(TINY, {"a": 100.0})
    respelt = known.replace(b":100.0}", b":1.0e2}")
    assert respelt != known
    with pytest.raises(BlobError, match="layout"):
        unpack(respelt)


@pytest.mark.parametrize("header", [{"a": {1, 2}}, {"a": object()}, {"a": "\ud800"}])
def test_what_json_cannot_say_is_refused(header):
    with pytest.raises(BlobError, match="cannot be written as JSON"):
        pack({}, header)
