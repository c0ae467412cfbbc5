"""Pages made from the code: every command with its options, every setting with its meaning."""

import inspect
import re
from collections.abc import Iterator

import click
import typer
from generated_page import generated_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from deepcity.cli import app
from deepcity.data.config.settings import CitySettings
from deepcity.data.connectors import connectors
from deepcity.maps.map_settings import MapSettings

HEAD = "<!-- made by docs/hooks/generated_reference.py from the code -->\n\n"


@event_priority(-100)  # after the plugin of languages, which knows files on disk only
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add both pages."""
    pages = {"reference/commands.md": commands(), "reference/settings.md": settings()}
    for name, text in pages.items():
        files.append(generated_page(config, name, HEAD + text))
    return files


def commands() -> str:
    """Every command: what it does, its arguments and options."""
    parts = ["# Commands\n\nMade from `--help`.\n"]
    parts += [
        _command(name, one) for name, one in _commands(typer.main.get_command(app), "deepcity")
    ]
    return "\n".join(parts)


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    inner = getattr(command, "commands", {})
    for key in sorted(inner):
        if not inner[key].hidden:
            yield from _commands(inner[key], f"{name} {key}")
    if not inner:
        yield name, command


def _command(name: str, command: click.Command) -> str:
    rows = []
    for one in command.params:
        if getattr(one, "hidden", False):
            continue
        shown = getattr(one, "metavar", None) or (one.name or "").upper()
        keys = shown if one.param_type_name == "argument" else ", ".join(one.opts)
        rows.append(f"| `{keys}` | {_cell(getattr(one, 'help', '') or '')} |")
    table = "\n".join(["| | |", "| --- | --- |", *rows]) if rows else ""
    return f"## {name}\n\n{inspect.cleandoc(command.help or '')}\n\n{table}\n"


def settings() -> str:
    """Every key of a city file and of a map file, with type, default and meaning."""
    parts = ["# Settings\n\nMade from the code's own classes.\n", "## City file\n"]
    seen: set[type[BaseModel]] = set()
    parts += _model(CitySettings, "", seen)
    for name, connector in sorted(connectors().items()):
        parts += _model(connector.settings, f'[[source]] format = "{name}"', seen)
    parts += ["## Map file\n", *_model(MapSettings, "", seen)]
    return "\n".join(parts)


def _model(model: type[BaseModel], title: str, seen: set[type[BaseModel]]) -> list[str]:
    if model in seen:
        return []
    seen.add(model)
    meanings, rows, below = _meanings(model), [], []
    for key, field in model.model_fields.items():
        name = field.alias or key
        default = field.get_default(call_default_factory=True)
        shown = (
            ""
            if default in (PydanticUndefined, None) or isinstance(default, BaseModel)
            else default
        )
        text = meanings.get(key) or field.description or ""
        rows.append(f"| `{name}` | {_cell(text)} | {f'`{shown}`' if shown != '' else ''} |")
        below += [(inner, name) for inner in _models(field.annotation)]
    head = title or _heading(model)
    table = ["| key | meaning | default |", "| --- | --- | --- |", *rows]
    found = [f"### {head}\n", (inspect.cleandoc(model.__doc__ or "")).split("\n\n")[0] + "\n"]
    found += ["\n".join(table) + "\n"]
    for inner, name in below:
        found += _model(inner, f"`{name}`", seen)
    return found


def _heading(model: type[BaseModel]) -> str:
    return model.__name__.removesuffix("Settings")


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Key -> what the docstrings of a class and its bases say of it."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        _, _, block = inspect.cleandoc(one.__doc__ or "").partition("Attributes:\n")
        for keys, text in re.findall(r"^    ([\w, ]+): (.*(?:\n      .*)*)", block, re.MULTILINE):
            found |= {key.strip(): text for key in keys.split(",")}
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
