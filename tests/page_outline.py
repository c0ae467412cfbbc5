"""An HTML page as its tags close it: ids, references and addresses, each id once."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input"}


class Outline(HTMLParser):
    """Checks that tags nest, and keeps ids, references and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids += [known["id"] or ""] if "id" in known else []
        self.references += (known.get("aria-labelledby") or "").split()
        self.addresses += [known.get(name) or "" for name in ("src", "href") if name in known]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack.pop() == tag


def outline(page: str) -> Outline:
    read = Outline()
    read.feed(page)
    assert read.stack == []
    assert len(set(read.ids)) == len(read.ids)
    assert set(read.references) <= set(read.ids)
    return read
