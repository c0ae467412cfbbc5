"""Text of others on a terminal: what a file says must not move its cursor or colour its lines."""


def printable(text: str) -> str:
    r"""Text with its control characters written out; line ends stay.

    >>> printable("cities = a\x1b[31m\x00.toml")
    'cities = a\\x1b[31m\\x00.toml'
    """
    return "".join(one if one.isprintable() or one in "\n\t" else _written(one) for one in text)


def _written(sign: str) -> str:
    return sign.encode("unicode_escape", "replace").decode("ascii")
