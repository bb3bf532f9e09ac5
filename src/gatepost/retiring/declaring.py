"""Taking a service out of the text of the declaration, and nothing else with it."""

from __future__ import annotations

import re

from gatepost.model.architecture import Service

_COMMENT = r"\s*(?:#.*)?"


def without(text: str, service: Service) -> str | None:
    """The text without this entry of a `services` list; None where it cannot be told from its neighbours.

    An entry on a line of its own goes with the line. `"pop3"` among others on a line goes with its comma. Whoever
    calls reads the result and compares it: this looks at words, not at grammar.
    """
    lines = text.splitlines(keepends=True)
    if service.line is None or not 0 < service.line <= len(lines):
        return None
    place, line = service.line - 1, lines[service.line - 1]
    name = re.escape(service.name)
    alone = re.compile(rf'\s*(?:"{name}"|\{{[^{{}}]*\bname\s*=\s*"{name}"[^{{}}]*\}})\s*,?{_COMMENT}\s*')
    if alone.fullmatch(line):
        return "".join(lines[:place] + lines[place + 1 :])
    shorter, count = re.subn(rf'(?:,\s*"{name}"(?=\s*[,\]])|(?:^|(?<=\[))\s*"{name}"\s*,\s*)', "", line, count=1)
    if not count:
        shorter, count = re.subn(rf'(?<=\[)\s*"{name}"\s*(?=\])', "", line, count=1)
    return "".join((*lines[:place], shorter, *lines[place + 1 :])) if count else None
