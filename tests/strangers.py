"""Others' libraries in an environment of their own, which `scripts/install-strangers` makes."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(sys.prefix) / "strangers"
PYTHON = FOLDER / "bin" / "python"
NO_STRANGERS = (
    f"others' NGSI-LD libraries are not in {FOLDER}: run scripts/install-strangers "
    "(BIN names the folder of Python's programs, if it is not .venv/bin)"
)
needed = pytest.mark.skipif(not (FOLDER / "installed").exists(), reason=NO_STRANGERS)


def package(name: str) -> Path:
    """The folder of an installed package."""
    return next(FOLDER.glob(f"lib/python*/site-packages/{name}"))
