"""Every error a user can meet; each names the value, the reason and the next step.

DeepCityError
├── ProblemsError           several problems of one input, reported together
│   ├── ConfigError         a city or map file
│   ├── DataError           raw records
│   ├── RefineError         parties whose networks cannot learn from their new rows
│   └── DeepDataError       deep data that cannot be stored or searched for
├── LayerPackageError       a layer package that cannot be trusted
├── CheckpointError         a run that cannot be saved or resumed
├── StoreError              a store of deep data that cannot be opened, written or read
│   ├── StoreFullError      no room is left where it is
│   └── OutboxFullError     too much waits to be sent
├── GrantError              a layer or deep data that may not leave its party
├── ExchangeError           a party that did not answer, or answered nonsense
└── LiveError               deep data or a question that a live application does not take
    ├── VersionError        deep data of another model version
    └── TooMuchError        more than one request may hold
"""

from collections.abc import Sequence

from deepcity.city.problem import Problem


class DeepCityError(Exception):
    """Base of every error that deepcity raises on purpose."""


class ProblemsError(DeepCityError):
    """All problems of one input at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = [f"{count} problem{'s' if count != 1 else ''} found:"]
        lines += [f"  {number}. {problem}" for number, problem in enumerate(self.problems, 1)]
        super().__init__("\n".join(lines))


class ConfigError(ProblemsError):
    """A city or map file does not say what it must."""


class DataError(ProblemsError):
    """Raw records cannot become a panel."""


class RefineError(ProblemsError):
    """A party's networks cannot learn from its new rows; what it had is as it was."""


class DeepDataError(ProblemsError):
    """Deep data are not what their space holds, or not to be believed."""


class LayerPackageError(DeepCityError):
    """A layer package is damaged, renamed, or does not fit."""


class CheckpointError(DeepCityError):
    """A run cannot be saved or resumed."""


class StoreError(DeepCityError):
    """A store of deep data cannot be opened, written or read."""


class StoreFullError(StoreError):
    """No room is left where a store is; nothing of a batch was stored."""


class OutboxFullError(StoreError):
    """Too much waits to be sent."""


class GrantError(DeepCityError):
    """A layer or deep data were about to leave their party without a grant."""


class ExchangeError(DeepCityError):
    """A party did not answer, or its answer cannot be used."""


class LiveError(DeepCityError):
    """Deep data or a question that a live application does not take.

    Attributes:
        value: what was said or asked.
        reason: why it is not taken.
        right: the next step.
    """

    def __init__(self, value: str, reason: str, right: str) -> None:
        super().__init__(f"{value}: {reason}. {right[:1].upper()}{right[1:]}")
        self.value, self.reason, self.right = value, reason, right


class VersionError(LiveError):
    """Deep data of another model version than the one that was trained with."""


class TooMuchError(LiveError):
    """A request holds more than one may."""
