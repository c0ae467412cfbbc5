"""What can go wrong with raw records, by the setting of the city file that it concerns."""


class ReadError(Exception):
    """Records that cannot be read; `key` is the setting concerned, `right` the next step."""

    def __init__(self, key: str, value: object, reason: str, right: str) -> None:
        super().__init__(reason)
        self.key, self.value, self.reason, self.right = key, value, reason, right
