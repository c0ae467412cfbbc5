"""A run's forecaster bundle as it was before its test days, for a replay of them to learn from.

A run's weights have moved through its test days. A replay of them must not know the days after its
own time, so its first update begins where the networks' own learning ended.
"""

from dataclasses import replace

from deepcity.city.clock import DAY_S
from deepcity.data.panel import Panel
from deepcity.runs.update.forecaster_bundle import ForecasterBundle
from deepcity.runs.update.kept_replay import Memory
from deepcity.runs.update.weighed_bundle import WeighedBundle


def with_earlier_times(bundle: ForecasterBundle) -> ForecasterBundle:
    """The bundle, as if no truth after the rows trained on had come."""
    times = bundle.times
    days = tuple(one for one in bundle.days if one.start + DAY_S <= times.learned_to)
    before = times.model_copy(update={"seen_to": times.learned_to})
    return replace(bundle, times=before, days=days, replay=None)


def with_earlier_weights(
    bundle: ForecasterBundle, panel: Panel, weather: Panel | None
) -> ForecasterBundle:
    """The bundle, with the weights of its experts after the days kept aside.

    Args:
        panel: the party's records, from training on to any time after the days kept aside.
        weather: that of the panel; None where its experts use none.
    """
    terms = bundle.terms
    assert terms is not None
    view = WeighedBundle.open(bundle, terms, panel, lambda _panel: weather, Memory())
    return replace(bundle, ensemble=view.kept_aside.found.ensemble)
