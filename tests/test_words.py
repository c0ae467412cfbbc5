"""Names in the code are the field's: one name a class, and none of the project's earlier words.

Source files are parsed, not imported.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1] / "src" / "deepcity"

PRIVATE_PARTS = """
    said told council hearsay kin yardstick yardsticks convened hearing faith
"""
"""Never a part (between underscores) of an identifier."""

_PRIVATE = frozenset(PRIVATE_PARTS.split())

EARLIER_NAMES = """
    absolute_share after alike anchor ask_in automatic averaging batch_rows beginning beside book
    careful claim convened council course deep draw drawn evidence faith fellows followed gone
    granted ground guess guest guests hear heard hearing hearsay hold inlet instructions judge
    keeping kin known_in_part lay learn lessons look look_back mark meet meeting minutes mixings
    most_mb near new_days outlook own own_networks own_package own_step own_steps passage patience
    personal practice present_rows price recall remarks remember return_to room said say seeing
    settle settled several share shareable shelf silence slope slopes sorts spoken stand_again
    standing strips summaries take teach teach_itself tell there told too_new touched turned turns
    twin untouched wanted watch watched_days way worsening yardsticks
"""
"""Never the name of a module, a class or a public function: the field has another word."""

ALLOWED = {
    "take": "rows by position, as numpy's",
    "share": "a part of a whole, as a number",
}


@cache
def _trees() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    }


def _identifiers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that is defined, used or passed, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.lineno, node.name
            case ast.Name():
                yield node.lineno, node.id
            case ast.Attribute():
                yield node.lineno, node.attr
            case ast.arg():
                yield node.lineno, node.arg
            case ast.keyword(arg=str(name)):
                yield node.lineno, name
            case ast.alias():
                yield node.lineno, node.asname or node.name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield node.lineno, name


def _definitions(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Public classes and functions of a module, and public methods of its classes."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node
            yield from _definitions(node.body if isinstance(node, ast.ClassDef) else [])


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _same_names(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    files = defaultdict(list)
    for file, tree in trees.items():
        for node in _definitions(tree.body):
            if isinstance(node, ast.ClassDef):
                files[node.name].append(file)
    return {name: found for name, found in files.items() if len(found) > 1}


def _private_words(file: str, tree: ast.Module) -> list[str]:
    modules = [(1, part) for part in Path(file).with_suffix("").parts]
    return [
        f"{file}:{line}: {name}"
        for line, name in (*modules, *_identifiers(tree))
        if not _PRIVATE.isdisjoint(re.split(r"[_.]", _snake(name)))
    ]


def _earlier_names(file: str, tree: ast.Module) -> list[str]:
    modules = [(1, part) for part in Path(file).with_suffix("").parts]
    defined = [(node.lineno, node.name) for node in _definitions(tree.body)]
    return [
        f"{file}:{line}: {name}"
        for line, name in (*modules, *defined)
        if _snake(name) in set(EARLIER_NAMES.split()) - ALLOWED.keys()
    ]


def test_no_two_public_classes_have_one_name():
    assert _same_names(_trees()) == {}


def test_no_identifier_has_a_part_that_only_this_project_knows():
    assert [one for file, tree in _trees().items() for one in _private_words(file, tree)] == []


def test_no_module_class_or_function_has_an_earlier_name():
    assert [one for file, tree in _trees().items() for one in _earlier_names(file, tree)] == []


def test_each_check_finds_what_it_looks_for():
    """A class of one name, a private word in every kind of identifier, and earlier names."""
    text = "class Batch:\n    def meet(self): ...\ndef slope(): ...\n"
    assert _same_names({"a.py": ast.parse(text), "b.py": ast.parse(text)}) == {
        "Batch": ["a.py", "b.py"]
    }
    assert _earlier_names("cli/own_step.py", ast.parse(text)) == [
        "cli/own_step.py:1: own_step",
        "cli/own_step.py:2: meet",
        "cli/own_step.py:3: slope",
    ]
    used = "class Council: ...\ndef f(said_B): g(told=x.kin_NN); faith = 1; import hearsay.told"
    assert len(_private_words("hearing.py", ast.parse(used))) == 7
    assert _private_words("a.py", ast.parse("skin = folded = 1")) == []
