"""A text for people, in English and Korean."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class LocalizedText:
    """The same words in both languages; in JSON an object of the two.

    >>> LocalizedText("Water", "물").ko
    '물'
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    en: str
    ko: str
