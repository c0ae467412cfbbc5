"""Notebooks of `examples/` as pages: their texts, their code and what it printed."""

import json
from pathlib import Path
from typing import Any

from generated_page import generated_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files

EXAMPLES = Path(__file__).parents[2] / "examples"


@event_priority(-100)  # after the plugin of languages, which knows files on disk only
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page a notebook."""
    for path in sorted(EXAMPLES.glob("*.ipynb")):
        page = as_markdown(json.loads(path.read_text(encoding="utf-8")))
        files.append(generated_page(config, f"notebooks/{path.stem}.md", page))
    return files


def as_markdown(notebook: dict[str, Any]) -> str:
    """Its cells, in order."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        printed = "".join(_text(output) for output in cell["outputs"]).strip("\n")
        if printed:
            parts.append(f"```text\n{printed}\n```")
    return "\n\n".join(parts) + "\n"


def _text(output: dict[str, Any]) -> str:
    lines = output.get("text") or output.get("data", {}).get("text/plain", [])
    return "".join(lines)
