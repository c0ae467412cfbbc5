"""Keep each benchmark's figures in its own section of benchmarks/RESULTS.md.

A section stands between two comment lines that name it, so a benchmark that runs again
replaces its own figures and leaves all others, and all text around them, as they are.
"""

import re
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
_HEADING = (
    "# Measured results\n\n"
    "Each section is written by the command it names. Ratios hold within one run; absolute\n"
    "seconds are as of the machine that ran it.\n"
)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def recorded(section: str, path: Path = RESULTS) -> str:
    """What a section holds now; nothing if it is not there."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    _, found, after = text.partition(f"<!-- begin {section} -->\n")
    return after.partition(f"<!-- end {section} -->")[0].strip() if found else ""


def record(section: str, markdown: str, path: Path = RESULTS) -> None:
    """Write a section, in place of its older self, or at the end if it is new.

    Args:
        section: lower-case letters, digits and hyphens, such as "losloop" or "cost-memory".
        markdown: heading, command, seeds, figures with their spread.

    Raises:
        ValueError: if the name has other characters, or the text holds a section's marker.
    """
    if not _NAME.fullmatch(section):
        msg = f"section {section!r}: use lower-case letters, digits and hyphens"
        raise ValueError(msg)
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    if "<!-- begin " in markdown or "<!-- end " in markdown:
        msg = f"section {section!r}: the text holds a section's marker; leave it out"
        raise ValueError(msg)
    block = f"{begin}\n{markdown.strip()}\n{end}\n"
    text = path.read_text(encoding="utf-8") if path.exists() else _HEADING
    start, stop = text.find(begin), text.find(end)
    if 0 <= start < stop:
        text = text[:start] + block + text[stop + len(end) :].removeprefix("\n")
    else:
        text = f"{text.rstrip()}\n\n{block}"
    fresh = path.with_suffix(".tmp")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
