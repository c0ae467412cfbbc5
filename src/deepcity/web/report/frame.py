"""What every page shares: its templates, style, script, and the words in both languages."""

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from deepcity.web.report.inlining.data import Inlined
from deepcity.web.report.notes import note, notes_of
from deepcity.web.report.text import Text, counted, of, translate


def rendered(template: str, title: Text, live: Inlined | None = None, **views: object) -> str:
    """A page as one HTML document; a missing value is an error, not a blank.

    Args:
        template: one that extends `frame.html`.
        live: what its live parts show; None where it has none.
        views: what it shows.
    """
    environment = _templates()
    script = environment.get_template("script.js").render()
    shown = live is not None and bool(live.json)
    live_script = _built("report.js") if shown else ""
    return environment.get_template(template).render(
        title=title,
        style=Markup(
            environment.get_template("style.css").render() + (_built("report.css") if shown else "")
        ),
        script=Markup(script),
        live=live,
        live_script=Markup(live_script),
        script_hashes=[_hash(one) for one in (script, live_script) if one],
        **views,
    )


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _built(name: str) -> str:
    """A file that `make web` built from `frontend/src/report/`."""
    found = resources.files("deepcity.web.report.inlining").joinpath("static", name)
    return found.read_text(encoding="utf-8")


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("deepcity.web.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(
        translate=translate, of=of, counted=counted, note=note, notes_of=notes_of
    )
    return environment
