"""`place`: a column whose values tell rows of one time apart, in a table without a place column."""

from deepcity.city.problem import Trial
from deepcity.data.config.source import Layout
from deepcity.data.remedies import Remedy
from deepcity.data.remedies.repeated_times import RepeatedTimes


def _attempt(evidence: RepeatedTimes) -> Trial | None:
    if evidence.source.layout is not Layout.WIDE or evidence.telling is None:
        return None
    places = evidence.sample[evidence.telling].n_unique()
    change = f"layout = 'long' and place = '{evidence.telling}'"
    if evidence.sample[evidence.telling].null_count():
        return Trial(change, False, "rows without a place would be left out")
    return Trial(change, True, f"its {places:,} values are then places: {evidence.names}")


REMEDIES = (Remedy("place-column", RepeatedTimes, _attempt),)
