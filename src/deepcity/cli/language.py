"""The option `--language` of commands whose sentences are in English and Korean."""

from enum import StrEnum
from typing import Annotated

import typer

from deepcity.city.localized_text import LocalizedText
from deepcity.city.printable import printable


class PrintedLanguage(StrEnum):
    """What is printed in."""

    EN = "en"
    KO = "ko"


LanguageOption = Annotated[PrintedLanguage, typer.Option(help="Of tables and sentences.")]


def echo(text: LocalizedText, language: PrintedLanguage) -> None:
    """Print a text in one language, without what a terminal would obey."""
    typer.echo(printable(text.en if language is PrintedLanguage.EN else text.ko))
