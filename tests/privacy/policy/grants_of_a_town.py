"""A town's grants and requests, as examples and drawn at random."""

from hypothesis import strategies as st

from deepcity.privacy.policy.release import (
    Item,
    ReleaseAction,
    ReleaseGrant,
    ReleaseMeasures,
    ReleaseRequest,
)

DOMAINS = {"water": "resources", "metro": "transport"}
NOW = 1_800_000_000

GRANT = ReleaseGrant(
    name="water-layers",
    agency="water",
    item=Item.LAYERS,
    grantees=("north", "south"),
    domain="resources",
    service="demand",
    purpose="water demand forecast",
    lowest=1,
    highest=5,
    until=NOW + 1,
    max_stream_r2=0.4,
)
REQUEST = ReleaseRequest(
    action=ReleaseAction.RELEASE_LAYERS,
    agency="water",
    recipients=("north",),
    service="demand",
    purpose="water demand forecast",
    lowest=1,
    highest=5,
    now=NOW,
    measured=ReleaseMeasures(stream_r2=0.4),
)

_few = st.sampled_from
_texts = _few(["demand", "water demand forecast", "수요 예측", 'a"b', "x"])
_limits = st.none() | st.floats(-0.5, 1.5) | _few([0.4, 0.40004, 0.39996])
_counts = st.none() | st.integers(0, 5)
_depths = st.integers(0, 6)

grants = st.builds(
    ReleaseGrant,
    name=_few(["a", "b", "수도", "c-1"]),
    agency=_few(["water", "metro"]),
    item=_few(list(Item)),
    grantees=st.lists(_few(["north", "south", "east"]), min_size=1, max_size=2).map(tuple),
    domain=_few(["resources", "transport"]),
    service=_texts,
    purpose=_texts,
    lowest=_depths,
    highest=_depths,
    until=st.integers(NOW - 1, NOW + 1),
    max_stream_r2=_limits,
    cadence_s=_counts,
    least_k=_counts,
    epsilon=_limits,
    max_above_forecast=_limits,
    revoked_at=st.none() | st.just(NOW - 5),
)
requests = st.builds(
    ReleaseRequest,
    action=_few(list(ReleaseAction)),
    agency=_few(["water", "metro", "nobody"]),
    recipients=st.lists(_few(["north", "south", "east"]), max_size=2).map(tuple),
    service=_texts,
    purpose=_texts,
    lowest=_depths,
    highest=_depths,
    now=st.integers(NOW - 1, NOW + 1),
    measured=st.builds(
        ReleaseMeasures,
        stream_r2=_limits | _few([float("nan"), float("inf"), -float("inf"), 1e300]),
        cadence_s=_counts,
        joined=_counts,
        epsilon=_limits,
        stream_above_forecast=_limits | _few([float("nan"), float("inf")]),
        in_training=st.booleans(),
        least_count=_counts,
    ),
)
