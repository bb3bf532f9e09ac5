"""The fields of a journal entry, as `journalctl -o json` writes them."""

from __future__ import annotations

from collections.abc import Mapping

from gatepost.model.log import Line

TIME = "__REALTIME_TIMESTAMP"
CURSOR = "__CURSOR"


def entry(fields: Mapping[str, object]) -> Line:
    """A journal entry. The text a program gave as its own pid comes before the one the kernel told.

    Both are the same but for a program that logs for others; a file written by syslog has the first.
    """
    pid = text(fields.get("SYSLOG_PID")) or text(fields.get("_PID"))
    at = text(fields.get(TIME))
    return Line(
        int(at) if _number(at, 17) else None,
        text(fields.get("_HOSTNAME"))[:255],
        (text(fields.get("SYSLOG_IDENTIFIER")) or text(fields.get("_COMM")))[:128],
        int(pid) if _number(pid, 10) else None,
        text(fields.get("MESSAGE")),
    )


def text(value: object) -> str:
    """A field's text. What is not printable comes as a list of bytes, a field given twice as a list of texts."""
    if isinstance(value, list) and value and not isinstance(value[0], int):
        value = value[0]
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return bytes(one for one in value if isinstance(one, int) and 0 <= one < 256).decode("utf-8", "replace")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _number(digits: str, most: int) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) <= most
