"""An invented city with more days of records than its forecasters learned from."""

from pathlib import Path

import grown_town
from little_map import flows

HOUR, DAY = 3600, 86_400
BEGIN = 1_612_137_600  # 2021-02-01, the first row
LEARNED_DAYS = 36
START, START_TEXT = BEGIN + LEARNED_DAYS * DAY, "2021-03-09T00:00"


def write_town(folder: Path, places: int, days: int) -> Path:
    """Two agencies of hourly records that have learned from the first days; gives the city file.

    Args:
        places: of each agency.
        days: that are recorded after those that were learned from.
    """
    whole = LEARNED_DAYS + days

    def values(number):
        return flows(days=whole, places=places, seed=number)

    grown_town.trained(folder, values, LEARNED_DAYS, whole)
    return folder / "a.toml"
