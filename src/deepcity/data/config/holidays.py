"""Public holidays of a country or a part of it, as the `holidays` package lists them."""

import re
from datetime import date
from functools import cache
from typing import Annotated

from pydantic import AfterValidator

from deepcity.data.config.toml_file import did_you_mean, wrong

YEARS = range(2000, 2041)


def check_calendar(code: str) -> str:
    """Check a code such as ``IT`` or ``IT-FE`` and return it.

    Raises:
        PydanticCustomError: if its holidays are unknown, with the codes that are known.
    """
    import holidays

    country, _, part = code.partition("-")
    if _is_known(country, part):
        return code
    known = holidays.list_supported_countries()
    if country not in known:
        raise wrong("no known holidays", did_you_mean(country, sorted(known)))
    if part and part not in known[country]:
        raise wrong(f"{country} has no such part", did_you_mean(part, sorted(known[country])))
    return code


def _is_known(country: str, part: str) -> bool:
    """Whether a country of two letters and its part are known; the list of all is slow."""
    import holidays

    if not re.fullmatch("[A-Z]{2}", country):
        return False
    try:
        found = holidays.country_holidays(country)
    except NotImplementedError:
        return False
    return not part or part in found.subdivisions


@cache
def holiday_dates(code: str | None) -> frozenset[date]:
    """The holidays of the years 2000 to 2040; none for None.

    >>> date(2022, 4, 23) in holiday_dates("IT-FE")  # Saint George, Ferrara's patron
    True
    """
    if code is None:
        return frozenset()
    import holidays

    country, _, part = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=YEARS))


HolidayCalendar = Annotated[str, AfterValidator(check_calendar)]
"""A country or a part of one whose holidays are known."""
