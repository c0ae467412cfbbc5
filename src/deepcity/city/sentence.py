"""Sentences made of parts that were written to stand anywhere."""

import re

_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*(?=[ ,:;]|$)")
_COMMANDS = frozenset({"deepcity", "pip", "python", "docker", "kubectl", "apt-get", "npm"})


def as_sentence(text: str) -> str:
    """A text with a capital at its beginning, but for what is typed as it stands there: a command,
    a file, a key of a file.

    >>> as_sentence("write 1h"), as_sentence("deepcity run writes it"), as_sentence("a.toml has it")
    ('Write 1h', 'deepcity run writes it', 'a.toml has it')
    """
    first = _WORD.match(text)
    if first is None or first[0] in _COMMANDS:
        return text
    return text[:1].upper() + text[1:]
