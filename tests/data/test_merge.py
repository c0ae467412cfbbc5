from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.data.merge import merge_panels
from deepcity.data.panel import Panel

CLOCK = Clock("UTC", timedelta(hours=1))
FLOW, RAIN = Field("flow", Kind.FLOW, "L/s"), Field("rain", Kind.RAIN, "mm")


def panel(start, values, place="a", field=FLOW, clock=CLOCK):
    time = start * 3600 + 3600 * np.arange(len(values), dtype=np.int64)
    block = np.array(values, dtype=np.float32)[:, None, None]
    return Panel(clock, time, (Place(place),), (field,), block)


def test_times_places_and_fields_are_joined_and_nothing_is_filled():
    merged = merge_panels([panel(0, [1, np.nan]), panel(1, [7, 8, 9]), panel(4, [5], "b", RAIN)])
    assert merged.time_T.tolist() == [0, 3600, 7200, 10_800, 14_400]
    flow = merged.values_TNF[:, 0, 0]
    assert flow[:4].tolist() == [1, 7, 8, 9]
    assert int(merged.mask_TNF.sum()) == 5
    assert merged.values_TNF[4, 1, merged.field_index("rain")] == 5


def test_the_earlier_panel_stands():
    assert merge_panels([panel(0, [1, 2]), panel(0, [3, 4])]).values_TNF[:, 0, 0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ([panel(0, [1], clock=Clock("Asia/Seoul", timedelta(hours=1)))], "clocks differ"),
        ([panel(0.5, [1])], "do not meet"),
        ([panel(0, [1], field=replace(FLOW, unit="m3/h"))], "one name, two meanings"),
    ],
)
def test_what_does_not_fit_is_refused(others, told):
    if told == "do not meet":
        others = [replace(other, time_T=other.time_T.astype(np.int64)) for other in others]
    with pytest.raises(ValueError, match=told):
        merge_panels([panel(0, [1]), *others])


def test_a_graph_must_fit_the_places():
    one = panel(0, [1, 2])
    assert replace(one, adjacency_NN=np.ones((1, 1), np.float32)).adjacency_NN is not None
    with pytest.raises(ValueError, match=r"adjacency has shape \(2, 2\) for 1 places"):
        replace(one, adjacency_NN=np.ones((2, 2), np.float32))


def test_nothing_to_merge():
    with pytest.raises(ValueError, match="nothing to merge"):
        merge_panels([])
