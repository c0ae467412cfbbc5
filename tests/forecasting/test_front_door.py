"""`import deepcity`: five names, and nothing heavy until one is asked for."""

import subprocess
import sys

import pytest

import deepcity

HEAVY = "{'torch', 'polars', 'numpy', 'pandas', 'sqlalchemy', 'duckdb'}"


def imported_by(code):
    """The heavy modules that are there after some code ran in a new process."""
    code += f"\nimport sys; print(sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_the_front_door_alone_imports_nothing_heavy():
    assert imported_by("import deepcity; deepcity.__version__; dir(deepcity)") == "[]"


def test_help_needs_no_torch():
    code = """
import deepcity.cli
try:
    deepcity.cli.app(['--help'])
except SystemExit:
    pass
"""
    assert "torch" not in imported_by(code)


def test_a_panel_needs_no_torch_and_no_pandas():
    assert "torch" not in imported_by("import deepcity; deepcity.Panel, deepcity.load_city")


@pytest.mark.parametrize("name", deepcity.__all__)
def test_every_name_is_there_and_says_what_it_is(name):
    assert name in dir(deepcity)
    assert getattr(deepcity, name).__doc__


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'Forecast'"):
        _ = deepcity.Forecast
