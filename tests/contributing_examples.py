"""The examples of CONTRIBUTING.md, and how one is dropped beside the files of its folder."""

import importlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

PAGE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"`src/deepcity/([\w/]+)\.py`:\n\n```python\n(.*?)```", PAGE, re.DOTALL))
"""Path under src/deepcity, without its ending -> the file's text."""


def fixed_width(rows: Sequence[Sequence[object]], width: int = 18) -> str:
    """Rows, the first of them the columns' names, as the example of a connector reads them."""
    return "\n".join("".join(f"{cell:<{width}}" for cell in row) for row in rows)


def drop(example: str, folder: Path, patch: pytest.MonkeyPatch, text: str = "") -> ModuleType:
    """Put an example (or another text for it) into a folder that its package looks into too."""
    room, _, name = example.rpartition("/")
    place = folder / room.replace("/", "-")
    place.mkdir()
    (place / f"{name}.py").write_text(text or EXAMPLES[example], encoding="utf-8")
    package = importlib.import_module("deepcity." + room.replace("/", "."))
    patch.setattr(package, "__path__", [*package.__path__, str(place)])
    module = f"{package.__name__}.{name}"
    patch.setattr(package, name, None, raising=False)  # the module goes when the patch does
    patch.setitem(sys.modules, module, ModuleType(module))
    del sys.modules[module]
    return importlib.import_module(module)
