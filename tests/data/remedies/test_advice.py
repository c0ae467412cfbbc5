"""No message proposes a setting that has not been tried: source files are parsed for such texts."""

import ast
import re
from pathlib import Path

import deepcity

KEYS = (
    "decimal|delimiter|thousands|unit_text|missing|encoding|duplicates|spread|ambiguous"
    "|nonexistent|hour_columns|skip_footer|stamp|format|valid|cumulative"
)
ADVICE = re.compile(rf"\b(?:{KEYS}) ?= ?(?:['\"\[\{{\d]|true)")
SOURCE_FOLDER = Path(deepcity.__file__).parent


def advice_in(path: Path) -> list[str]:
    """Texts of a file, other than docstrings, that tell people to set one of those keys."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documented
    )
    return [text for text in texts if ADVICE.search(text)]


def test_no_message_outside_the_registry_names_such_a_key():
    found = {
        str(path.relative_to(SOURCE_FOLDER)): advice
        for path in sorted(SOURCE_FOLDER.rglob("*.py"))
        if "remedies" not in path.parts and (advice := advice_in(path))
    }
    no_advice = (
        "mask them with valid = [lowest, highest]",  # names no numbers, which nothing shows
        "mask them with valid = [0, highest plausible]",
        "amounts were outside valid = [{low:g}",  # what the city file states
        "so it is no running total: remove cumulative = true",  # undoes what is stated
    )
    assert {
        name: texts
        for name, advice in found.items()
        if (texts := [text for text in advice if not any(one in text for one in no_advice)])
    } == {}


def test_the_scan_sees_such_advice(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text('"""duplicates = "first"."""\nX = "set time.duplicates = \'first\'"\n')
    assert advice_in(path) == ["set time.duplicates = 'first'"]
