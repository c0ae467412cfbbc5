"""A number that may be unknown, in results that are kept as JSON."""

from typing import Annotated

from pydantic import BeforeValidator

Measured = Annotated[float, BeforeValidator(lambda value: float("nan") if value is None else value)]
"""NaN where nothing was measured to compare with; JSON has no NaN and says null."""
