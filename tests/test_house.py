"""The house stays in order: everything documented, no long file, no drawer for odds and ends."""

import importlib
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest

import deepcity
from deepcity.data.connectors import connectors
from deepcity.data.domains import domains
from deepcity.exchange.strategies import STRATEGIES
from deepcity.learning.experts.expert import experts

ROOT = Path(__file__).parents[1]
SOURCE = Path(deepcity.__file__).parent
REFERENCE = ROOT / "docs" / "reference.md"
FILES = sorted(
    path
    for folder in (SOURCE, ROOT / "tests", ROOT / "benchmarks")
    for path in folder.rglob("*.py")
    if "__pycache__" not in path.parts
)


def modules(package):
    """Modules of a folder that is a registry."""
    loaded = importlib.import_module(f"deepcity.{package}")
    return sorted(found.name for found in pkgutil.iter_modules(loaded.__path__))


def named():
    """What a city or map file can name; applications are documented by their own files."""
    yield from (("domain", name) for name in domains())
    yield from (("connector", name) for name in connectors())
    yield from (("strategy", name) for name in STRATEGIES)
    yield from (("expert", kind) for kind in experts())


@pytest.mark.parametrize(("sort", "name"), list(named()))
def test_what_a_file_can_name_is_in_the_reference(sort, name):
    text = REFERENCE.read_text(encoding="utf-8")
    assert re.search(rf"`{re.escape(name)}`", text), f"{sort} {name} is not in docs/reference.md"


@pytest.mark.parametrize(
    "package",
    ["applications", "data.domains", "data.connectors", "data.check.rules", "learning.experts"],
)
def test_every_entry_of_a_registry_says_what_it_is(package):
    for name in modules(package):
        words = importlib.import_module(f"deepcity.{package}.{name}").__doc__
        assert words, name
        assert len(words.split()) >= 4, name


@pytest.mark.parametrize("kind", modules("data.check.rules"))
def test_every_warning_of_the_data_check_is_in_the_reference(kind):
    text = (SOURCE / "data" / "check" / "rules" / f"{kind}.py").read_text(encoding="utf-8")
    warned = re.findall(r'\.warn\(\s*"([a-z-]+)"', text)
    assert warned, kind
    reference = REFERENCE.read_text(encoding="utf-8")
    assert [what for what in warned if f"`{what}`" not in reference] == []


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_strategy_says_what_it_is_and_every_setting(name):
    words = STRATEGIES[name].__doc__
    own = STRATEGIES[name].__annotations__
    assert all(f"{setting}:" in words for setting in own)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_no_folder_of_the_source_has_more_than_20_files():
    assert [str(folder) for folder, count in files_by_folder().items() if count > 20] == []


@pytest.mark.parametrize(
    "folder",
    ["applications", "data/domains", "data/connectors", "learning/experts", "exchange"],
)
def test_a_folder_to_which_files_are_added_has_room(folder):
    assert files_by_folder()[SOURCE / folder] < 20, "put helpers into a folder of their own"


def files_by_folder():
    return Counter(path.parent for path in FILES if path.is_relative_to(SOURCE))


def test_tests_mirror_the_source():
    """Tests of a room lie in its folder; those of a benchmark, or of `deploy/`, under its name."""
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in FILES if path.name[:5] == "test_"}
    folders -= {Path("deploy")}
    rooms = (SOURCE, ROOT / "benchmarks")
    assert {one for one in folders if not any((room / one).is_dir() for room in rooms)} == set()


@pytest.mark.parametrize("name", ["README.md", "README.ko.md", "docs/reference.md"])
def test_a_page_is_there_and_nothing_in_it_is_left_to_fill_in(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.strip()
    assert re.findall(r"@[A-Z][A-Z0-9_]*@", text) == []


def test_there_is_no_drawer_for_odds_and_ends():
    drawers = {"utils", "util", "common", "helpers", "misc"}
    assert not [path for path in FILES if drawers & {path.stem, path.parent.name}]


def test_every_module_says_what_it_is_for():
    silent = [
        path
        for path in SOURCE.rglob("*.py")
        if not path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""'))
    ]
    assert not silent


def test_test_files_have_names_of_their_own():
    files = (ROOT / "tests").rglob("*.py")
    names = Counter(path.name for path in files if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_no_file_names_a_machine():
    own = re.compile(r"(/home/|/Users/|/root/|C:\\Users)")
    text = {".py", ".toml", ".md", ".html", ".js", ".css"}
    folders = (SOURCE, ROOT / "tests", ROOT / "cities", ROOT / "docs", ROOT / "benchmarks")
    found = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in text
        and path != Path(__file__)
        and own.search(path.read_text(encoding="utf-8"))
    ]
    assert not found
