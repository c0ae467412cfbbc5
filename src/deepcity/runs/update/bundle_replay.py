"""A bundle that is saved with the replay its first forecast would make."""

from dataclasses import replace

from deepcity.data.panel import Panel, extended
from deepcity.runs.update.forecaster_bundle import ForecasterBundle
from deepcity.runs.update.kept_replay import Memory
from deepcity.runs.update.weighed_bundle import WeighedBundle

MOST_KEPT = 8_000_000
"""Values of a replay that a bundle holds, 4 bytes each."""


def with_replay(bundle: ForecasterBundle, panel: Panel) -> ForecasterBundle:
    """The bundle with the replay that its first forecast would make, so that none need do so.

    Without it where weather is used, which comes late, or where it would take too much space.

    Args:
        panel: its records as they were trained on.
    """
    terms, horizon = bundle.terms, bundle.identity.window.horizon
    if terms is None or terms.weather:
        return replace(bundle, replay=None)
    known = extended(panel, bundle.times.seen_to, horizon)
    found = WeighedBundle.open(bundle, terms, known, lambda _panel: None, Memory()).kept_replay
    small = found.mixed_BNH.size + found.aside_BNH.size <= MOST_KEPT
    return replace(bundle, replay=found if small else None)
