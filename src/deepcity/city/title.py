"""A name for people, in English and Korean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Title:
    """What a report calls a thing in each language.

    >>> Title("Water", "물").ko
    '물'
    """

    en: str
    ko: str
