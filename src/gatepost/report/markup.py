"""HTML as values: text is escaped by being text, and there is no way to put markup in by accident."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from gatepost.report.escape import printable

_VOID = frozenset({"br", "col", "hr", "link", "meta"})


@dataclass(frozen=True, slots=True)
class Element:
    name: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """The one piece of text that is not escaped: ours, from the package."""

    css: str


Node = Element | Stylesheet | str


def e(tag: str, /, *children: Node | Iterable[Node], **attributes: str | bool) -> Element:
    """`e("td", "text", class_="port")`. A trailing underscore is dropped, others become dashes."""
    kept = tuple(
        (key.rstrip("_").replace("_", "-"), "" if value is True else str(value))
        for key, value in attributes.items()
        if value is not False
    )
    return Element(tag, kept, tuple(_flat(children)))


def _flat(children: Iterable[Node | Iterable[Node]]) -> Iterable[Node]:
    for child in children:
        if isinstance(child, Element | Stylesheet | str):
            yield child
        else:
            yield from child


def html(node: Node) -> str:
    if isinstance(node, str):
        return escape("\n".join(printable(line) for line in node.split("\n")), quote=False)
    if isinstance(node, Stylesheet):
        return node.css
    attributes = "".join(f' {name}="{escape(printable(value))}"' for name, value in node.attributes)
    if node.name in _VOID:
        return f"<{node.name}{attributes}>"
    return f"<{node.name}{attributes}>{''.join(html(child) for child in node.children)}</{node.name}>"
