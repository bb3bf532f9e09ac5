"""Passwords and tokens that daemons or strangers write into logs, taken out before anything is stored.

Rather too much than too little: where the end of a secret cannot be told (a password may hold any sign), everything to
the end of the text is masked. The text is never matched after masking, so that a mask cannot hide what a daemon wrote.
"""

from __future__ import annotations

import re

MASK = "***"

_HINTS = ("assw", "auth", "pass", "oken", "resp=", "login ", "secret", "bearer", "cookie", "authenticate")
_GIVEN = re.compile(r"((?:given password|password|passwd)s?\s*[:=]\s*).+", re.IGNORECASE | re.DOTALL)
_DIGEST = re.compile(r"((?:SHA\d*|MD5|CRYPT)\w* of given password:? ?).+", re.IGNORECASE | re.DOTALL)
_COMMAND = re.compile(
    r"\b(AUTH(?:ENTICATE)?\s+[A-Za-z0-9-]{1,30}|PASS|LOGIN\s+(?!authentication\b)\S{1,256})(\s+(?!authentication\b)\S).*",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = re.compile(r"((?:Proxy-)?Authorization:\s*|Cookie:\s*|Bearer\s+).+", re.IGNORECASE | re.DOTALL)
_VALUE = re.compile(
    r"\b((?:resp|pass|password|secret|(?:access_|refresh_|id_)?token|api_?key)=)[^\s,;&>)]+", re.IGNORECASE
)


def masked(text: str) -> str:
    """The text with every password, response and token in it replaced by ***."""
    low = text.lower()
    if not any(hint in low for hint in _HINTS):
        return text
    text = _DIGEST.sub(_kept, text) if "of given" in low else text
    text = _GIVEN.sub(_kept, text) if "passw" in low else text
    text = _HEADER.sub(_kept, text)
    text = _VALUE.sub(_kept, text)
    return _COMMAND.sub(lambda found: f"{found[1]} {MASK}", text)


def _kept(found: re.Match[str]) -> str:
    return f"{found[1]}{MASK}"


def masked_dialogue(text: str) -> str:
    """What a stranger sent in the middle of a login: nothing of it is kept but a leading command word."""
    word = re.match(r"(?:AUTH(?: [A-Za-z0-9-]{1,30})?|QUIT|EHLO|HELO|MAIL|RCPT|DATA|RSET|NOOP|STARTTLS)(?=\W|$)", text)
    return f"{word[0]} {MASK}" if word and word.end() < len(text) else word[0] if word else MASK
