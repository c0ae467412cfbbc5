"""What can go wrong with raw records, by the setting of the city file that it concerns."""

from deepcity.city.problem import Cause


class ReadError(Exception):
    """Records that cannot be read; `key` is the setting concerned, `right` the next step.

    `cause` is the reason as a code with numbers.
    """

    def __init__(
        self, key: str, value: object, reason: str, right: str, cause: Cause | None = None
    ) -> None:
        super().__init__(reason)
        self.cause = cause
        self.key, self.value, self.reason, self.right = key, value, reason, right
