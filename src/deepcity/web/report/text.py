"""Words in English and Korean side by side; the page shows one of the two.

Every sentence of the report lives in `words/en.toml` and `words/ko.toml` under the same key.
A `Text` renders as two spans with a `lang` each, and the style sheet hides the other one, so
the page needs no script to be readable. Escaping happens here and in Jinja, nowhere else.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from markupsafe import Markup

from deepcity.city.korean import with_particles
from deepcity.city.localized_text import LocalizedText

LANGUAGES = ("en", "ko")


@dataclass(frozen=True)
class Text(LocalizedText):
    """Plain words in both languages, escaped when rendered.

    >>> print(Text("<b>", "<b>").__html__())
    &lt;b&gt;
    """

    def __html__(self) -> Markup:
        if self.en == self.ko:
            return Markup("{}").format(self.en)
        # Markup, not str: `Markup.format` would escape a str once more
        spans = Markup('<span lang="en">{}</span><span lang="ko">{}</span>')
        return spans.format(self.en, self.ko)

    def __add__(self, other: "Text") -> "Text":
        return Text(self.en + other.en, self.ko + other.ko)


Value = str | int | LocalizedText


def of(words: LocalizedText) -> Text:
    """Words of the results as text of the page."""
    return Text(words.en, words.ko)


def both(text: LocalizedText) -> dict[str, str]:
    """A text as JSON has it."""
    return {"en": text.en, "ko": text.ko}


def same(words: str) -> Text:
    """Words that read alike in both languages, such as numbers with units."""
    return Text(words, words)


def translate(key: str, **values: Value) -> Text:
    """The sentence of that key with its values put in.

    >>> translate("method.alone").en
    'alone'

    Raises:
        KeyError: if a language has no such sentence or a value is missing.
    """
    return Text(*(_filled(language, key, values) for language in LANGUAGES))


def counted(key: str, n: int, **values: Value) -> Text:
    """The sentence for that many: `key_one` for a single one, `key_many` otherwise."""
    return translate(f"{key}_one" if n == 1 else f"{key}_many", n=n, **values)


def joined(texts: Iterable[Text]) -> Text:
    """Texts in a row: `a, b and c`.

    >>> joined([same("a"), same("b"), same("c")]).en
    'a, b and c'
    """
    *heads, tail = list(texts)
    if not heads:
        return tail
    front = Text(", ".join(t.en for t in heads), ", ".join(t.ko for t in heads))
    return translate("list.and", front=front, back=tail)


@cache
def words(language: str) -> dict[str, str]:
    """Every sentence of a language by its dotted key."""
    source = resources.files(__package__).joinpath("words", f"{language}.toml")
    tree = tomllib.loads(source.read_text(encoding="utf-8"))
    return {f"{part}.{name}": sentence for part in tree for name, sentence in tree[part].items()}


def _filled(language: str, key: str, values: dict[str, Value]) -> str:
    shown = {name: _in(language, value) for name, value in values.items()}
    found = words(language)[key].format(**shown)
    return with_particles(found) if language == "ko" else found


def _in(language: str, value: Value) -> str:
    if isinstance(value, str | int):
        return str(value)
    return value.en if language == "en" else value.ko
