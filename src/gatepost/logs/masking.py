"""Passwords and tokens that daemons or strangers write into logs, taken out before anything is stored.

Rather too much than too little: where the end of a secret cannot be told (a password may hold any sign), everything to
the end of the text is masked. The text is never matched after masking, so that a mask cannot hide what a daemon wrote.
"""

from __future__ import annotations

import re

MASK = "***"

_WORDS = (  # asked first, since nearly no text holds a secret; every pattern below needs one of them
    *("passwd", "password:", "password ", "password=", "passwords", "given", "pass ", "pass=", "authenticate "),
    *("auth p", "auth l", "auth x", "auth o", "auth n", "auth e", "auth  "),
    *("authorization:", "cookie:", "bearer", "token", "resp=", "login ", "secret", "apikey", "api_key", "credentials"),
    *("request", "cont", "!=", "$"),
)
_HINT = re.compile(
    r"passw\w*\s*[:=]|given passw|pass[ =]|auth +[plxone]|authenticate +|authorization:|cookie:|bearer|token|resp=|"
    r"login +|secret|api_?key|credentials|\$\d|\) !=|cont\s|request\s",
    re.IGNORECASE,
)
_GIVEN = re.compile(r"((?:given password|password|passwd)s?\s*[:=]\s*).+", re.IGNORECASE | re.DOTALL)
_DIGEST = re.compile(r"((?:SHA\d*|MD5|CRYPT)\w* of given password:? ?).+", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"([A-Z][A-Z0-9.-]{2,30})\(.*\) != .*", re.DOTALL)  # auth_debug_passwords
_CREDENTIALS = re.compile(r"((?:Credentials|master in: REQUEST|passdb out: CONT|client in: CONT):?\s+).+", re.DOTALL)
_HASH = re.compile(r"(?:\{[A-Z0-9.-]{2,30}\})?\$\d[a-z]?\$[^\s)'\"]+")
_ABORTED = (  # Dovecot's own words behind "Aborted login": no name and password can be these two
    r"(?! +(?:by logging|\((?:no auth|auth failed,|auth process|cert required|client didn't|client sent|"
    r"disconnected (?:before|while)|tried to)) )"
)
_COMMAND = re.compile(  # a line break before it may stand as \\n
    r"((?:\\n|\b)(?:AUTH +(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|NTLM|EXTERNAL)|AUTHENTICATE +\S{1,40}|PASS|"
    rf"LOGIN{_ABORTED} +[^\s:]{{1,256}})) +\S.*",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = re.compile(r"((?:Proxy-)?Authorization:\s*|Cookie:\s*|Bearer\s+).+", re.IGNORECASE | re.DOTALL)
_VALUE = re.compile(
    r"\b((?:resp|pass|auth_token|password|secret|(?:access_|refresh_|id_)?token|api_?key)=)[^\s,;&>)]+", re.IGNORECASE
)


def masked(text: str) -> str:
    """The text with every password, response and token in it replaced by ***."""
    low = text.lower()
    for word in _WORDS:
        if word in low:
            break
    else:
        return text
    if _HINT.search(text) is None:
        return text
    text = _DIGEST.sub(_kept, text)
    text = _GIVEN.sub(_kept, text)
    text = _CREDENTIALS.sub(_kept, text)
    text = _SCHEME.sub(rf"\1({MASK})", text)
    text = _HASH.sub(MASK, text)
    text = _HEADER.sub(_kept, text)
    text = _VALUE.sub(_kept, text)
    return _COMMAND.sub(lambda found: f"{found[1]} {MASK}", text)


def _kept(found: re.Match[str]) -> str:
    return f"{found[1]}{MASK}"


def masked_dialogue(text: str) -> str:
    """What a stranger sent in the middle of a login: nothing of it is kept but a leading command word."""
    word = re.match(r"(?:AUTH(?: [A-Za-z0-9-]{1,30})?|QUIT|EHLO|HELO|MAIL|RCPT|DATA|RSET|NOOP|STARTTLS)(?=\W|$)", text)
    return f"{word[0]} {MASK}" if word and word.end() < len(text) else word[0] if word else MASK
