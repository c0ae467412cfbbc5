"""A page of the site that lies on no disk."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File


def generated_page(config: MkDocsConfig, name: str, text: str) -> File:
    """A page of that name; each language's site has its own."""
    file = File.generated(config, name, content=text)
    language = config.theme["language"]
    if language != "en":
        file.dest_uri = f"{language}/{file.dest_uri}"
    return file
