from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deepcity.city.clock import Clock

ZONES = sorted(available_timezones())


@settings(deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(0, 2_100_000_000),
    step=st.sampled_from([300, 900, 1800, 3600]),
)
@example(zone="Australia/Adelaide", start=1_759_000_000, step=900)
@example(zone="Australia/Lord_Howe", start=1_759_500_000, step=900)
@example(zone="America/St_Johns", start=1_268_500_000, step=60)
def test_wall_clock_agrees_with_the_zone_at_every_time(zone, start, step):
    time_T = start + step * np.arange(200, dtype=np.int64)
    local = Clock(zone, timedelta(seconds=step)).local_seconds(time_T)
    for utc_s, wall_s in zip(time_T.tolist(), local.tolist(), strict=True):
        shown = datetime.fromtimestamp(utc_s, UTC).astimezone(ZoneInfo(zone))
        assert wall_s == int(shown.replace(tzinfo=UTC).timestamp())
