"""How numbers are written as text: their decimal sign, grouping, units, and texts for no value."""

from dataclasses import dataclass

MISSING = (
    *("", "-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "\u2026", ":"),
    *("NA", "N/A", "n/a", "N.A.", "n.a.", "NaN", "nan"),
    *("NAN", "NULL", "null", "Null", "None", "#N/A", "#N/A N/A", "#NA", "#DIV/0!"),
    *("#VALUE!", "#REF!", "#NAME?", "#NULL!", "#NUM!", "점검중", "점검 중", "통신이상", "통신장애"),
    *("통신불량", "자료없음", "결측", "교정중", "동작불량", "장비점검", "미측정", "자료이상"),
)
"""Texts that always mean "not measured"; never a number, which may be a value."""

SPACES = " \u00a0\u202f\u2009"  # plain, no-break, narrow no-break and thin: nobody sees which
APOSTROPHES = "'\u2019"


@dataclass(frozen=True)
class NumberStyle:
    """How the numbers of a source are written where they are text.

    Attributes:
        missing: texts that mean "not measured".
        decimal: sign before the fraction.
        thousands: sign between groups of digits; empty: none is allowed. A space stands for all
            kinds of spaces, an apostrophe for both kinds.
        units: texts that may stand before or after a number and do not change its value.
    """

    missing: tuple[str, ...] = MISSING
    decimal: str = "."
    thousands: str = ""
    units: tuple[str, ...] = ()

    @property
    def grouping(self) -> str:
        """All signs that `thousands` stands for."""
        if self.thousands and self.thousands in SPACES:
            return SPACES
        return APOSTROPHES if self.thousands and self.thousands in APOSTROPHES else self.thousands
