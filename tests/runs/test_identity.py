"""A run's folder that is refused says which keys of the map differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_map import LittleMap, flows, service

from deepcity.city.errors import CheckpointError
from deepcity.maps.city_map import load_map
from deepcity.runs.identity import check_identity
from deepcity.runs.identity_keys import differences, flatten, hashed

KEYS = st.text("abc", min_size=1, max_size=2)
TREES = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def town(folder, *texts, **settings):
    little = LittleMap(folder).party("a/x", flows(places=1)).party("a/y", flows(places=1))
    return little.write(*texts or (service(**settings),))


def refused(path, folder):
    with pytest.raises(CheckpointError) as error:
        check_identity(folder, load_map(path))
    return str(error.value)


def test_a_changed_setting_is_named_with_both_values(tmp_path):
    folder = tmp_path / "run"
    check_identity(folder, load_map(town(tmp_path)))
    said = refused(town(tmp_path, local_steps=5, horizon=12), folder)
    assert "service[water].training.local_steps (4 in the run, 5 now)" in said
    assert "service[water].window.horizon (6 in the run, 12 now)" in said
    assert "rounds" not in said
    check_identity(folder, load_map(town(tmp_path)))


def test_a_city_file_that_changed_is_named_without_its_content(tmp_path):
    folder = tmp_path / "run"
    path = town(tmp_path)
    check_identity(folder, load_map(path))
    city = tmp_path / "a.toml"
    city.write_text(city.read_text().replace('time_zone = "UTC"', 'time_zone = "Asia/Seoul"'))
    said = refused(path, folder)
    assert "a/x: clock.time_zone (in the city file)" in said
    assert "Seoul" not in said + (folder / "coordinator" / "run.json").read_text()


def test_another_map_service_or_party_is_named(tmp_path):
    folder = tmp_path / "run"
    path = town(tmp_path)
    check_identity(folder, load_map(path))
    fewer = service().replace('"*/*"', '"a/x"')
    assert "service[water].parties" in refused(town(tmp_path, fewer), folder)
    assert "service[more]" in refused(town(tmp_path, service(), service("more")), folder)
    path = town(tmp_path)
    path.write_text(path.read_text().replace('name = "little"', 'name = "big"'))
    assert "its map was 'little', it is 'big' now" in refused(path, folder)


@given(TREES, TREES)
def test_differences_are_found_if_and_only_if_there_are_some(was, now):
    before, after = flatten(was, "x."), flatten(now, "x.")
    assert bool(differences(before, after)) == (before != after)
    assert bool(differences(hashed(before), hashed(after))) == (before != after)
    assert not differences(before, before)
