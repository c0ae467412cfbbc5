import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load as safetensors_load

from deepcity.city.errors import ExchangeError
from deepcity.exchange.message import HEADER, Message, from_bytes, to_bytes, wire_bytes_by_layer
from deepcity.store.blob import pack

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
layer_names = words.filter(lambda name: name and "/" not in name and name != HEADER)
arrays = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
messages = st.builds(
    Message,
    verb=words,
    numbers=st.dictionaries(words, st.floats(), max_size=4),
    layers=st.dictionaries(layer_names, st.dictionaries(words, arrays, max_size=3), max_size=3),
)


def assert_same(left: Message, right: Message) -> None:
    assert left.verb == right.verb
    assert left.numbers.keys() == right.numbers.keys()
    for name, value in left.numbers.items():
        same = right.numbers[name]
        assert (math.isnan(value) and math.isnan(same)) or value.hex() == same.hex()
    assert left.layers.keys() == right.layers.keys()
    for layer, tensors in left.layers.items():
        assert tensors.keys() == right.layers[layer].keys()
        for name, tensor in tensors.items():
            same = right.layers[layer][name]
            assert (same.dtype, same.shape) == (tensor.dtype, tensor.shape)
            assert same.tobytes() == tensor.tobytes()  # NaN bits included


@given(messages)
def test_round_trip_is_exact(message):
    blob = to_bytes(message)
    back = from_bytes(blob)
    assert_same(message, back)
    assert to_bytes(back) == blob
    assert all(t.flags.writeable for tensors in back.layers.values() for t in tensors.values())


@given(messages)
def test_sizes_add_up_to_the_bytes_sent(message):
    sizes = wire_bytes_by_layer(message)
    assert sum(sizes.values()) == len(to_bytes(message))
    assert set(sizes) == {*message.layers, HEADER}


@given(messages)
def test_the_public_reader_of_the_format_reads_it(message):
    read = safetensors_load(to_bytes(message))
    sent = {f"{group}/{name}" for group, tensors in message.layers.items() for name in tensors}
    assert set(read) == sent


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(blob):
    with pytest.raises(ExchangeError, match="not a message"):
        from_bytes(blob)


@settings(max_examples=300)
@given(messages, st.data())
def test_a_changed_byte_is_refused_or_changes_the_content(message, data):
    blob = bytearray(to_bytes(message))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    try:
        read = from_bytes(bytes(blob))
    except ExchangeError:
        return
    assert to_bytes(read) == bytes(blob)


def test_order_of_layers_and_numbers_does_not_change_the_bytes():
    one = np.ones(2, np.float32)
    forth = Message("m", {"a": 1.0, "b": 2.0}, {"h1": {"w": one, "b": one}, "h2": {"w": one}})
    back = Message("m", {"b": 2.0, "a": 1.0}, {"h2": {"w": one}, "h1": {"b": one, "w": one}})
    assert to_bytes(forth) == to_bytes(back)


def test_arrays_of_any_memory_layout_arrive_by_value():
    base = np.arange(12, dtype=np.float32).reshape(3, 4)
    views = {"t": base.T, "s": base[::2, ::-1], "big": base.astype(">f4")}
    back = from_bytes(to_bytes(Message("m", layers={"h1": views})))
    for name, view in views.items():
        np.testing.assert_array_equal(back.layers["h1"][name], view)


def test_whole_numbers_arrive_as_floats():
    back = from_bytes(to_bytes(Message("m", {"round": 3, "yes": True})))
    assert back.numbers == {"round": 3.0, "yes": 1.0}
    assert all(isinstance(value, float) for value in back.numbers.values())


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message("m", {"n": 2**53 + 1}), "'n' = 9007199254740993"),
        (Message("m", {"n": 10**400}), "'n'"),
        (Message("m", {"n": "three"}), "'three'"),
        (Message("m", {1: 1.0}), "name 1"),
        (Message("\ud800"), "surrogate"),
        (Message("m", layers={"a/b": {}}), "'a/b'"),
        (Message("m", layers={"": {}}), "''"),
        (Message("m", layers={"header": {}}), "'header'"),
        (Message("m", layers={"h1": {"w": np.ones(1, np.complex64)}}), "h1/w is complex64"),
        (Message("m", layers={"h1": {"w": np.array(["text"])}}), "h1/w"),
        (Message("m", layers={"h1": {"w": np.array([{}], object)}}), "h1/w is object"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_reason(message, reason):
    with pytest.raises(ExchangeError, match=reason):
        to_bytes(message)


@pytest.mark.parametrize(
    ("blob", "reason"),
    [
        (b"", "0 bytes"),
        (
            to_bytes(Message("m", layers={"h1": {"w": np.ones(9, np.float32)}}))[:-1],
            "cannot be read",
        ),
        (to_bytes(Message("m")) + b"\0", "cannot be read"),
        (pickle.dumps({"verb": "m"}), "pickle"),
        (pack({}, {"verb": "m"}), "header"),
        (pack({}, {"verb": 3, "numbers": {}}), "verb"),
        (pack({}, {"verb": "m", "numbers": {"n": "1"}}), "numbers"),
        (pack({}, {"verb": "m", "numbers": [1.0]}), "numbers"),
        (pack({}, []), "header"),
        (to_bytes(Message("m")).replace(b'"verb', b' "ver'), "cannot be read|layout"),
        ((8).to_bytes(8, "little") + b"[[[[[[[[", "cannot be read"),
        ((2**62).to_bytes(8, "little") + b"{}", "cannot be read"),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(blob, reason):
    with pytest.raises(ExchangeError, match=reason):
        from_bytes(blob)


def test_deeply_nested_header_is_refused():
    inner = "[" * 100_000 + "]" * 100_000
    text = json.dumps({"__metadata__": {"deepcity": inner}}).encode()
    text += b" " * (-len(text) % 8)
    with pytest.raises(ExchangeError, match="cannot be read"):
        from_bytes(len(text).to_bytes(8, "little") + text)
