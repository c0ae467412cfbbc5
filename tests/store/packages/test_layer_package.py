import pickle
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError

from deepcity.city.errors import LayerPackageError
from deepcity.city.field import Kind
from deepcity.store.blob import pack, seal, unpack
from deepcity.store.packages.layer_package import load_package, save_package
from deepcity.store.packages.manifest import Facts
from deepcity.store.signatures.keyring import own_keyring
from deepcity.store.signatures.trust_list import SignedKind

FACTS = Facts(
    name="district-a",
    city="Ferrara",
    service="water",
    field_kinds=(Kind.FLOW, Kind.TEMPERATURE),
    step_seconds=3600,
    history_steps=168,
    horizon_steps=24,
    trained_from=datetime(2021, 1, 1, tzinfo=UTC),
    trained_to=datetime(2022, 1, 1, tzinfo=UTC),
    metrics={"mae": 1.25},
    parents=("ab" * 32,),
)
LAYERS = {
    "h1": {"w": np.array([[0.5, -1.0]], np.float32), "b": np.array([0.1], np.float32)},
    "h2": {"w": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)},
}


@pytest.fixture
def package(tmp_path):
    return save_package(tmp_path, FACTS, LAYERS)


def rewrite(package, *, arrays=None, keep_name=False, **changes):
    """A rightly signed package with other content, under the name that is right for it."""
    held, header = unpack(package.path.read_bytes())
    header = header | changes
    del header["sha256"]
    signed = own_keyring().signed(SignedKind.LAYERS, arrays or held, header)
    blob = seal(arrays or held, signed)
    digest = unpack(blob)[1]["sha256"]
    path = package.path if keep_name else package.path.with_name(f"district-a-{digest[:12]}.layers")
    path.write_bytes(blob)
    return path


def test_package_comes_back_as_it_was_saved(package):
    loaded = load_package(package.path)
    assert loaded.manifest == package.manifest
    for fact in Facts.model_fields:
        assert getattr(loaded.manifest, fact) == getattr(FACTS, fact)
    assert loaded.layers.keys() == LAYERS.keys()
    for layer, tensors in LAYERS.items():
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(loaded.layers[layer][name], tensor)
    assert loaded.manifest.layers["h2"]["w"].shape == (2, 2)
    assert loaded.manifest.weight_count == 7


@given(
    st.dictionaries(
        st.sampled_from(["h1", "h2", "head"]),
        st.dictionaries(
            st.text("wb.", min_size=1),
            hnp.arrays(
                st.sampled_from([np.float32, np.float64]),
                hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
                elements=st.floats(-1, 1, width=32),
            ),
            min_size=1,
            max_size=2,
        ),
        min_size=1,
    ),
    st.dictionaries(st.text("abc"), st.floats(allow_nan=False, allow_infinity=False), max_size=3),
)
def test_any_layers_round_trip_and_equal_content_gives_equal_bytes(
    tmp_path_factory, layers, metrics
):
    folder = tmp_path_factory.mktemp("packages")
    facts = FACTS.model_copy(update={"metrics": metrics})
    first = save_package(folder, facts, layers)
    data = first.path.read_bytes()
    turned = {layer: dict(reversed(tensors.items())) for layer, tensors in reversed(layers.items())}
    second = save_package(folder, facts, turned)
    assert (second.path, second.path.read_bytes()) == (first.path, data)
    loaded = load_package(first.path)
    assert loaded.manifest.metrics == metrics
    for layer, tensors in layers.items():
        for name, tensor in tensors.items():
            assert loaded.layers[layer][name].tobytes() == tensor.tobytes()


def test_same_moment_in_another_zone_is_the_same_package(package, tmp_path):
    seoul = timezone(timedelta(hours=9))
    moved = FACTS.model_dump() | {"trained_from": FACTS.trained_from.astimezone(seoul)}
    assert save_package(tmp_path, Facts(**moved), LAYERS).path == package.path


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80, 0xFF])
def test_a_changed_byte_anywhere_is_refused(package, flip):
    data = package.path.read_bytes()
    for at in range(len(data)):
        package.path.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
        with pytest.raises(LayerPackageError, match="is refused"):
            load_package(package.path)


def test_truncated_or_extended_anywhere_is_refused(package):
    data = package.path.read_bytes()
    for cut in [data[:at] for at in range(len(data))] + [data + b"\0", data + data]:
        package.path.write_bytes(cut)
        with pytest.raises(LayerPackageError, match="is refused"):
            load_package(package.path)


def test_renamed_is_refused_with_its_right_name(package):
    other = package.path.rename(package.path.with_name("district-b-0123456789ab.layers"))
    with pytest.raises(LayerPackageError, match=f"content is that of {package.path.name}"):
        load_package(other)


def test_two_packages_swapped_are_both_refused(package, tmp_path):
    other = save_package(tmp_path, FACTS.model_copy(update={"name": "district-b"}), LAYERS)
    spare = tmp_path / "spare"
    package.path.rename(spare)
    other.path.rename(package.path)
    spare.rename(other.path)
    for path in (package.path, other.path):
        with pytest.raises(LayerPackageError, match="swapped"):
            load_package(path)


def test_not_a_number_in_well_sealed_weights_is_refused(package):
    poisoned = {**LAYERS, "h2": {"w": np.array([[1, np.nan], [np.inf, 4]], np.float32)}}
    path = rewrite(package, arrays=poisoned)
    with pytest.raises(LayerPackageError, match="h2/w has 2 of 4 weights not finite"):
        load_package(path)


def test_weights_outside_the_ranges_that_their_maker_signed_are_refused(package):
    larger = {**LAYERS, "h2": {"w": np.array([[1, 2], [3, 400]], np.float32)}}
    with pytest.raises(LayerPackageError, match="h2/w holds 1 to 400, outside its declared range"):
        load_package(rewrite(package, arrays=larger))


def test_weights_that_no_network_survives_are_refused(package, tmp_path):
    huge = {**LAYERS, "h2": {"w": np.array([[1, 2], [3, 1e30]], np.float32)}}
    reason = r"h2/w holds 1 to 1e\+30; 1e\+12 is the most"
    with pytest.raises(LayerPackageError, match=reason):
        save_package(tmp_path, FACTS, huge)
    ranges = {"h1": {"w": [-1, 0.5], "b": [0, 1]}, "h2": {"w": [1, 2e30]}}
    with pytest.raises(LayerPackageError, match=reason):
        load_package(rewrite(package, arrays=huge, ranges=ranges))


def test_well_sealed_shapes_that_differ_from_the_manifest_are_refused(package):
    turned = {**LAYERS, "h1": {**LAYERS["h1"], "w": LAYERS["h1"]["w"].T}}
    with pytest.raises(LayerPackageError, match="shapes and dtypes that its manifest says"):
        load_package(rewrite(package, arrays=turned))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 1}, "format is 1 and this version of deepcity reads 3"),
        ({"format": None}, "format is None"),
        ({"step_seconds": 0}, "step_seconds"),
        ({"field_kinds": ["mood"]}, "field_kinds"),
        ({"trained_to": "2020-01-01T00:00:00Z"}, "not after"),
        ({"trained_to": "2023-01-01T00:00:00"}, "trained_to"),
        ({"metrics": {"mae": float("nan")}}, "metrics.mae"),
        ({"parents": ["abc"]}, "parents"),
        ({"name": "../up"}, "name"),
        ({"surprise": 1}, "surprise"),
        ({"layers": {}}, "manifest says"),
        ({"ranges": {}}, "h1/b has no declared range"),
        ({"ranges": 5}, "ranges"),
    ],
)
def test_well_sealed_manifest_that_says_nonsense_is_refused(package, changes, reason):
    with pytest.raises(LayerPackageError, match=reason):
        load_package(rewrite(package, **changes))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pickle.dumps(LAYERS), "pickle, which is never opened"),
        (pickle.dumps(LAYERS, protocol=2), "pickle, which is never opened"),
        (b"PK\x03\x04" + bytes(500), "zip archive"),
        (b"", "0 bytes"),
        (pack({}, []), "format"),
        (pack({}, {"format": 3}), "hash"),
        (seal({}, {"format": 3}), "it is not signed"),
    ],
)
def test_what_is_no_package_is_refused(package, data, reason):
    package.path.write_bytes(data)
    with pytest.raises(LayerPackageError, match=reason):
        load_package(package.path)


def test_pickle_that_would_run_code_does_not(package, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    package.path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(LayerPackageError):
        load_package(package.path)
    assert not tmp_path.joinpath("ran").exists()


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ({}, "holds no weights"),
        ({"h1": {}}, "holds no weights"),
        ({"h1": {"w": np.array([np.nan], np.float32)}}, "h1/w has 1 of 1"),
        ({"h1": {"w": np.array([1])}}, "h1/w is int64"),
        ({"a/b": {"w": np.ones(1, np.float32)}}, "'a/b'"),
    ],
)
def test_layers_that_nobody_could_load_are_not_saved(tmp_path, layers, reason):
    with pytest.raises(LayerPackageError, match=reason):
        save_package(tmp_path, FACTS, layers)
    assert list(tmp_path.iterdir()) == []


def test_facts_without_a_time_zone_are_refused():
    naive = FACTS.model_dump() | {"trained_from": datetime(2021, 1, 1)}  # noqa: DTZ001
    with pytest.raises(ValidationError, match="timezone"):
        Facts(**naive)


def test_package_that_is_not_there_or_cannot_be_written(tmp_path):
    with pytest.raises(LayerPackageError, match="no such file or folder"):
        load_package(tmp_path / "absent.layers")
    with pytest.raises(LayerPackageError, match=r"not a \.layers file"):
        load_package(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(LayerPackageError, match="cannot be written"):
        save_package(tmp_path / "file", FACTS, LAYERS)
