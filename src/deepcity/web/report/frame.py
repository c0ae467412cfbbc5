"""What every page shares: its templates, style, script, and the words in both languages."""

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from deepcity.web.report.notes import note, notes_of
from deepcity.web.report.text import Text, counted, of, translate


def rendered(template: str, title: Text, **views: object) -> str:
    """A page as one HTML document; a missing value is an error, not a blank.

    Args:
        template: one that extends `frame.html`.
        views: what it shows.
    """
    environment = _templates()
    script = environment.get_template("script.js").render()
    return environment.get_template(template).render(
        title=title,
        style=Markup(environment.get_template("style.css").render()),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **views,
    )


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
