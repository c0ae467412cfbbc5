"""Public holidays of a country or a part of it, as the `holidays` package lists them."""

from datetime import date
from functools import cache
from typing import Annotated

import holidays
from pydantic import AfterValidator

from deepcity.data.config.toml_file import did_you_mean, wrong

YEARS = range(2000, 2041)


def check_calendar(code: str) -> str:
    """Check a code such as ``IT`` or ``IT-FE`` and return it.

    Raises:
        PydanticCustomError: if its holidays are unknown, with the codes that are known.
    """
    known = holidays.list_supported_countries()
    country, _, part = code.partition("-")
    if country not in known:
        raise wrong("no known holidays", did_you_mean(country, sorted(known)))
    if part and part not in known[country]:
        raise wrong(f"{country} has no such part", did_you_mean(part, sorted(known[country])))
    return code


@cache
def holiday_dates(code: str | None) -> frozenset[date]:
    """The holidays of the years 2000 to 2040; none for None.

    >>> date(2022, 4, 23) in holiday_dates("IT-FE")  # Saint George, Ferrara's patron
    True
    """
    if code is None:
        return frozenset()
    country, _, part = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=YEARS))


HolidayCalendar = Annotated[str, AfterValidator(check_calendar)]
"""A country or a part of one whose holidays are known."""
