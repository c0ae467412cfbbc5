"""Every error a user can meet; each names the value, the reason and the next step.

DeepCityError
├── ProblemsError           several problems of one input, reported together
│   ├── ConfigError         a city or map file
│   ├── DataError           raw records
│   ├── RefineError         parties whose networks cannot learn from their new rows
│   └── DeepDataError       deep data that cannot be stored or searched for
├── LayerPackageError       a layer package that cannot be trusted
├── ExpertError             a party's expert that cannot be used or restored
├── CheckpointError         a run that cannot be saved or resumed
├── LedgerError             a record of releases that cannot be written, read or believed
├── StorageKeyError     a private file whose key is not there, or is another
├── StoreError              a store of deep data that cannot be opened, written or read
│   ├── StoreFullError      no disk space left for the store
│   └── OutboxFullError     too much data not sent yet
├── GrantError              a layer or deep data that may not leave its party
├── NetworkFileError        a camera network's file that is absent, damaged or of no use here
├── CameraError             frames of a camera, or a file of its tracks, that cannot be read
├── ExchangeError           a party that did not answer, or whose answer is invalid
│   ├── SecureSumError      a secure sum that a member refuses, or that cannot be opened
│   └── CaseError           a search for a person that is refused, or cannot be kept
└── LiveError               deep data or a request that a live application rejects
    ├── TokenError          a token that counts for nothing
    ├── VersionError        deep data of another model version
    ├── DecisionClosedError an answer to a decision that takes none now
    └── RequestTooLargeError  a request over the size limit
"""

from collections.abc import Sequence

from deepcity.city.problem import Problem
from deepcity.city.sentence import as_sentence


class RecordsWarning(UserWarning):
    """Something about records that are used as they are; a command prints it as a line."""


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
    """A city or map file is invalid."""


class DataError(ProblemsError):
    """Raw records cannot become a panel."""


class RefineError(ProblemsError):
    """A party's networks cannot learn from its new rows; its saved networks are unchanged."""


class DeepDataError(ProblemsError):
    """Deep data do not match their space, or their values are implausible."""


class LayerPackageError(DeepCityError):
    """A layer package is damaged, renamed, or does not fit."""


class ExpertError(DeepCityError):
    """An expert is unknown, not installed, or its arrays are damaged or do not fit."""


class CheckpointError(DeepCityError):
    """A run cannot be saved or resumed."""


class KeyringError(DeepCityError):
    """A list of trusted keys cannot be read or written."""


class LedgerError(DeepCityError):
    """A record of what left cannot be written or read, or is not to be believed."""


class StorageKeyError(DeepCityError):
    """A private file cannot be encrypted or decrypted by the keys of this environment."""


class StoreError(DeepCityError):
    """A store of deep data cannot be opened, written or read."""


class StoreFullError(StoreError):
    """No disk space is left for a store; nothing of the batch was stored."""


class OutboxFullError(StoreError):
    """The outbox is full: too much data has not been sent yet."""


class GrantError(DeepCityError):
    """A layer or deep data were about to leave their party without a grant."""


class NetworkFileError(DeepCityError):
    """A camera network's file is absent, damaged, or of no use here."""


class CameraError(DeepCityError):
    """Frames of a camera, or a file of its tracks, cannot be read or written."""


class ExchangeError(DeepCityError):
    """A party did not answer, or its answer cannot be used."""


class SecureSumError(ExchangeError):
    """A member refuses its part of a secure sum, or the sum cannot be opened; nothing is shown."""


class CaseError(ExchangeError):
    """A search for a person is refused, or cannot be kept.

    Attributes:
        code: why, for records.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class LiveError(DeepCityError):
    """Deep data or a request that a live application rejects.

    Attributes:
        value: the value received.
        reason: why it is rejected.
        right: the next step.
    """

    def __init__(self, value: str, reason: str, right: str) -> None:
        super().__init__(f"{value}: {reason}. {as_sentence(right)}")
        self.value, self.reason, self.right = value, reason, right


class TokenError(LiveError):
    """A request's token counts for nothing; the token itself is in no message."""

    def __init__(self, reason: str, right: str) -> None:
        super().__init__("Authorization", reason, right)


class VersionError(LiveError):
    """Deep data of another model version than the one that was trained with."""


class DecisionClosedError(LiveError):
    """An answer to a decision that is not open to it: too late, or another person was quicker."""


class RequestTooLargeError(LiveError):
    """A request exceeds the size limit."""
