"""Links of a page to files of the repository that are no pages, e.g. `../cities/demo.toml`.

On a code host they work as they stand. In the site such a file comes along under `repository/`:
Markdown as a page, anything else as a page that shows it.
"""

import posixpath
import re
from pathlib import Path

from generated_page import generated_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
INSIDE = "repository/"


@event_priority(-100)  # after the plugin of languages, which knows files on disk only
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Bring along every file of the repository that a page links to, and what those link to."""
    waiting = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    seen: set[str] = set()
    while waiting:
        source = waiting.pop()
        for target in _targets(source):
            if target not in seen and not target.startswith("docs/"):
                seen.add(target)
                page = _as_page(target)
                files.append(generated_page(config, _inside(target), page))
                if target.endswith(".md"):
                    waiting.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at the pages that came along."""
    here = page.file.src_uri
    source = here.removeprefix(INSIDE) if here.startswith(INSIDE) else f"docs/{here}"

    def moved(match: re.Match[str]) -> str:
        target, anchor = _resolved(source, match[1]), match[2] or ""
        if not _exists(target):
            return match[0]
        new = target.removeprefix("docs/") if target.startswith("docs/") else _inside(target)
        new = new.replace(".ko.md", ".md")  # each language's site has its own version of a page
        return f"]({posixpath.relpath(new, posixpath.dirname(here))}{anchor})"

    return LINK.sub(moved, markdown)


def _targets(source: str) -> list[str]:
    path = ROOT / source
    if path.suffix != ".md" or not path.is_file():
        return []
    links = LINK.findall(path.read_text(encoding="utf-8"))
    return [found for link, _ in links if _exists(found := _resolved(source, link))]


def _resolved(source: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link))


def _exists(target: str) -> bool:
    return not target.startswith("..") and (ROOT / target).exists()


def _inside(target: str) -> str:
    name = target if target.endswith(".md") else f"{target}.md"
    return INSIDE + name.replace(".ko.md", "-ko.md")  # a suffix is a language's version of a page


def _as_page(target: str) -> str:
    """Markdown as it is; the list of a folder; any other text in a block of code."""
    path = ROOT / target
    if path.is_dir():
        names = sorted(child.name for child in path.iterdir() if not child.name.startswith("_"))
        return f"# {target}\n\n" + "\n".join(f"- `{name}`" for name in names)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return f"# {target}\n\n````{path.suffix[1:]}\n{text}\n````\n"
