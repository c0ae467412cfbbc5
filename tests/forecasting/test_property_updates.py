"""Updates for property inference begin alike, and differ by what the records are like."""

import numpy as np
import pytest
from little_map import service, three

from deepcity.audit.properties.properties import RecordsProperty
from deepcity.city.level import LADDER
from deepcity.forecasting.audit_shadows import property_updates
from deepcity.maps.city_map import load_map
from deepcity.parties.own_experts import expert_data
from deepcity.parties.party import parties_of


@pytest.fixture(scope="module")
def update_of(tmp_path_factory):
    folder = tmp_path_factory.mktemp("map")
    (only,) = load_map(three(folder).write(service(levels=(2,), rounds=2))).services
    party = parties_of(only)[0]
    return property_updates(expert_data(party, only.settings.training, 1), party.field, (1, 2))


@pytest.mark.parametrize("which", RecordsProperty)
def test_an_update_is_that_of_its_records_and_of_nothing_else(update_of, which):
    first, again, other = (update_of(which, has, 7) for has in (True, True, False))
    assert [*first] == [1, 2]
    assert set(first[1]) == set(LADDER)
    weights = [one[2]["h1"]["inner.weight"] for one in (first, again, other)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (np.abs(weights[0] - weights[2]).max() > 0) == (which is not RecordsProperty.NOTHING)
    assert np.abs(first[2]["h1"]["inner.weight"]).max() > 0
