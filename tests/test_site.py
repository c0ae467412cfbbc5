"""The documentation as a site: it builds without a warning, and asks nothing of the outside."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OUTSIDE = re.compile(r"""<(?:script|img|link|iframe|source)\b[^>]*\b(?:src|href)=["']?https?://""")
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(
        command, check=False, cwd=ROOT, env=quiet, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr, built.stderr
    return folder


def test_every_page_exists_in_both_languages(site):
    english = {path.relative_to(site) for path in site.rglob("*.html")}
    english = {path for path in english if path.parts[0] not in {"ko", "404.html"}}
    korean = {path.relative_to(site / "ko") for path in (site / "ko").rglob("*.html")}
    assert english == korean


def test_the_first_pages_are_written_in_korean(site):
    for name in ("index", "tutorial", "explanation/levels", "how-to/forecasts"):
        text = (site / "ko" / f"{name}.html").read_text(encoding="utf-8")
        assert len(re.findall(r"[가-힣]", text)) > 300, name


def test_no_page_loads_anything_from_outside(site):
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert [str(path) for path, text in pages.items() if OUTSIDE.search(text)] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.search(r"url\([\"']?https?:", styles)


def test_every_command_and_setting_stands_on_a_page_made_from_the_code(site):
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    settings = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    for name in ("deepcity run", "deepcity forecast", "deepcity init", "deepcity data check"):
        assert name in commands, name
    for key in ("time_zone", "thousands", "newcomers", "mae_weight"):
        assert f"<code>{key}</code>" in settings, key


def test_every_setting_says_what_it_means(site):
    settings = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    cells = r"<tr>\s*<td><code>(\w+)</code></td>\s*<td>\s*</td>"
    assert re.findall(cells, settings) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    notebook = nbformat.read(path, as_version=4)
    run = client.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}
    )
    run.execute()
    printed = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]
    assert printed
