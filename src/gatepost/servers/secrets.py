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
_TABLE = re.compile(  # postconf copies such a table into other settings when it expands them
    r"\b(static|inline):\s*(\{[^{}]{0,2000}(?:\{[^{}]{0,2000}\}[^{}]{0,2000}){0,500}\}|[^\s,{]+)"
)
_WORD = r"""(?<![\w-])(["']?(?:\w+_)?(?:pass(?:word|wd|phrase)?|dnpass|secret|bind_?pw|pwd|api_?key|token)["']?"""
_VALUE = r"""(\{[^{}\n]*\}[^\s,;}]*|"[^"\n]*"|'[^'\n]*'|[^\s,;}"']+)"""
_PAIR = re.compile(rf"{_WORD}[ \t]*[=:][ \t]*){_VALUE}", re.IGNORECASE)
_PAIR_FOLDED = re.compile(rf"{_WORD}[ \t]*[=:][ \t]*(?:\n[ \t]+)?){_VALUE}", re.IGNORECASE)
_OPTION = re.compile(r"(--?(?:password|passwd|pass|secret|token)(?:[ \t]+|=))([^\s-]\S*)", re.IGNORECASE)
_IN_URL = re.compile(r"(\w://[^\s/:@]*:)([^\s/@]+)(@)")
_HEADER = re.compile(r"\b((?:Basic|Bearer)\s+)([\w.~+/=-]{6,})")
_HASH = re.compile(  # crypt(5), as in shadow(5) and in lists of users
    r"\$(?:1|2[abxy]?|5|6|7|apr1|argon2i?d?|gy|md5|pbkdf2|s?sha\d{0,3}|scrypt|y)\$[^\s:,;\"']{4,}"
)
_SCHEME = re.compile(r"(?<![$%])(\{[A-Z][A-Z0-9]{1,15}(?:-[A-Z0-9]{1,10}){0,3}(?:\.\w{1,6})?\})([^\s:,;\"'{}]{3,})")
_USER = re.compile(
    r"^([^\s:=#]{1,64}:)(?![0-9a-f]{0,4}:)([^\s:]{2,}:)(?=[^:\n]*:[^:\n]*:)", re.MULTILINE | re.IGNORECASE
)
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
    text = _USER.sub(rf"\1{HIDDEN}:", _BLOCK.sub(_blanked, text))
    lines: list[str] = []
    hiding = False
    joined = False
    for line in text.split("\n"):
        goes_on = joined or (folded and line[:1] in {" ", "\t"} and bool(line.strip()))
        if goes_on and hiding:
            lines.append(_blank(line))
        else:
            shown, hiding = _line(line)
            lines.append(shown)
        joined = line.rstrip().endswith("\\")
    return _inside("\n".join(lines), _PAIR_FOLDED if folded else _PAIR)


def _line(line: str) -> tuple[str, bool]:
    """The line as it may be shown, and whether lines that go on with it are secret too.

    `hide` is Exim's own word for a value that only administrators see.
    """
    found = _SETTING.match(line) if "=" in line else None
    if found is None:
        return line, False
    name, value = found["name"], found["value"]
    secret = hidden(name) or bool(found["hide"] and not name.startswith("tls_"))
    if not secret or not value.strip():
        return found["head"] + masked(name, value), secret
    return found["head"] + (f"{HIDDEN} \\" if line.rstrip().endswith("\\") else HIDDEN), True


def _blank(line: str) -> str:
    if not line.strip():
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return f"{indent}{HIDDEN}" + (" \\" if line.rstrip().endswith("\\") else "")


def _blanked(found: re.Match[str]) -> str:
    return f"{HIDDEN}" + "\n" * found.group(0).count("\n")


def _inside(text: str, pair: re.Pattern[str] = _PAIR) -> str:
    text = _TABLE.sub(_without_logins, text)
    text = _HASH.sub(HIDDEN, text)
    text = _SCHEME.sub(rf"\1{HIDDEN}", text)
    text = pair.sub(rf"\1{HIDDEN}", text)
    text = _OPTION.sub(rf"\1{HIDDEN}", text)
    text = _IN_URL.sub(rf"\1{HIDDEN}\3", text)
    return _HEADER.sub(rf"\1{HIDDEN}", text)


def _without_logins(found: re.Match[str]) -> str:
    """A colon in a value of the table is most often a login and its password."""
    if ":" not in found.group(2):
        return found.group(0)
    return f"{found.group(1)}:{HIDDEN}" + "\n" * found.group(0).count("\n")
