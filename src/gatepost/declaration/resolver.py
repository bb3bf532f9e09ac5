"""The table [dns]: which resolver is asked, and whether its word about DNSSEC counts."""

from __future__ import annotations

from ipaddress import ip_address

from gatepost.declaration.paper import Paper
from gatepost.declaration.positions import Path
from gatepost.declaration.shapes import ResolverShape
from gatepost.declaration.wording import shown


def read_resolver(page: Paper) -> tuple[str, bool]:
    """`ADDR` or `ADDR#PORT`, as the option --resolver has it; empty for the system's."""
    raw = page.tables.get("dns")
    shape = page.rest(ResolverShape, raw, ("dns",)) if raw is not None else None
    if shape is None:
        return "", False
    if shape.resolver is not None:
        return _place(page, shape.resolver, ("dns", "resolver")), shape.trusted
    if shape.trusted and "resolver" not in page.table(page.tables, "dns"):
        page.problem(("dns", "trusted"), "trusts nobody: name the resolver too")
    return "", False


def _place(page: Paper, text: str, path: Path) -> str:
    address, mark, port = text.partition("#")
    try:
        plain = str(ip_address(address.removeprefix("[").removesuffix("]")))
    except ValueError:
        page.problem(path, f"{shown(text)} begins with no IP address; expected one like 192.0.2.53 or 127.0.0.1#5353")
        return ""
    if mark and not (port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536):
        page.problem(path, f"{shown(port)} is no port number, which go from 1 to 65535")
        return ""
    return f"{plain}{mark}{int(port)}" if mark else plain
