"""Keeping secrets out of what is taken from a host. When in doubt, more is hidden than need be.

Line numbers survive, so that findings can still point into the file.
"""

from __future__ import annotations

import re

HIDDEN = "***"

_OWN = frozenset({"auth_debug_passwords", "auth_verbose_passwords"})  # how passwords are logged, not passwords
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:pass|password|passwd|passphrase|pw|dnpass|bindpw|secret|key_pass|api_?key|api_header|nonce|token"
    r"|credentials?|client_send|server_condition|(?:mysql|pgsql|oracle|redis|ibase)_servers)$",
    re.IGNORECASE,
)
_PASSWORD_TABLE = re.compile(r"(?:pass|secret|sasl)\w*_maps$", re.IGNORECASE)
_INLINE_TABLE = re.compile(r"\b(static|inline):\s*.*", re.DOTALL)
_WORD = r"""(?<![\w-])(["']?(?:\w+_)?(?:pass(?:word|wd|phrase)?|dnpass|secret|bind_?pw|pwd|api_?key|token)["']?"""
_VALUE = r"""(\{[^{}\n]*\}[^\s,;}]*|"[^"\n]*"|'[^'\n]*'|[^\s,;}"']+)"""
_PAIR = re.compile(rf"{_WORD}[ \t]*[=:][ \t]*){_VALUE}", re.IGNORECASE)
_PAIR_FOLDED = re.compile(rf"{_WORD}[ \t]*[=:][ \t]*(?:\n[ \t]+)?){_VALUE}", re.IGNORECASE)
_OPTION = re.compile(r"(--?(?:password|passwd|pass|secret|token)(?:[ \t]+|=))([^\s-]\S*)", re.IGNORECASE)
_IN_URL = re.compile(r"(\w://[^\s/:@]*:)([^\s/@]+)(@)")
_HEADER = re.compile(r"\b((?:Basic|Bearer)\s+)([\w.~+/=-]{6,})")
_BLOCK = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(.*?)(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_SETTING = re.compile(
    r"^(?P<head>[ \t]*#*[ \t]*(?P<hide>hide[ \t]+)?(?P<name>[A-Za-z]\w*)[ \t]*=[ \t]*)(?P<value>.*)$"
)  # fmt: skip


def hidden(name: str) -> bool:
    """A setting whose whole value is a secret."""
    return name not in _OWN and bool(_SECRET_NAME.search(name))


def masked(name: str, value: str) -> str:
    """The value of a setting as it may be shown."""
    if not value:
        return value
    if hidden(name) or value.startswith("# hidden, use -P"):  # doveconf's own words
        return HIDDEN
    if _PASSWORD_TABLE.search(name):
        value = _INLINE_TABLE.sub(rf"\1:{HIDDEN}", value)
    return _inside(value)


def masked_text(text: str, *, folded: bool = False) -> str:
    """A configuration file or output. `folded`: a line that begins with a blank continues the one before (Postfix)."""
    text = _BLOCK.sub(_blanked, text)
    lines: list[str] = []
    hiding = False
    joined = False
    for line in text.split("\n"):
        goes_on = joined or (folded and line[:1] in {" ", "\t"} and bool(line.strip()))
        if goes_on and hiding:
            lines.append(_blank(line))
        else:
            lines.append(_line(line))
            hiding = _hides(line)
        joined = line.rstrip().endswith("\\")
    return _inside("\n".join(lines), _PAIR_FOLDED if folded else _PAIR)


def _line(line: str) -> str:
    if not (found := _SETTING.match(line)) or not found["value"].strip():
        return line
    if _hides(line):
        return found["head"] + (f"{HIDDEN} \\" if line.rstrip().endswith("\\") else HIDDEN)
    return found["head"] + masked(found["name"], found["value"])


def _hides(line: str) -> bool:
    """`hide` is Exim's own word for a value that only administrators see."""
    found = _SETTING.match(line)
    return bool(found and (hidden(found["name"]) or (found["hide"] and not found["name"].startswith("tls_"))))


def _blank(line: str) -> str:
    if not line.strip():
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return f"{indent}{HIDDEN}" + (" \\" if line.rstrip().endswith("\\") else "")


def _blanked(found: re.Match[str]) -> str:
    return f"{HIDDEN}" + "\n" * found.group(0).count("\n")


def _inside(text: str, pair: re.Pattern[str] = _PAIR) -> str:
    text = pair.sub(rf"\1{HIDDEN}", text)
    text = _OPTION.sub(rf"\1{HIDDEN}", text)
    text = _IN_URL.sub(rf"\1{HIDDEN}\3", text)
    return _HEADER.sub(rf"\1{HIDDEN}", text)
