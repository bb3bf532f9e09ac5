"""Where the file of ours goes that Dovecot reads, and how it comes to be read last."""

from __future__ import annotations

import posixpath

from gatepost.enforcement.observed import Inside
from gatepost.servers.dovecot_text import beside, fits

NAME = "zz-gatepost.conf"


def place(inside: Inside, main: str) -> tuple[str, str]:
    """Our file, and the line that has to be added for it to be read last; empty where it already is.

    Where the configuration includes a directory (Debian's conf.d), the file goes there and dovecot.conf stays as it is,
    unless something is read after it.
    """
    taken = inside.file(main)
    lines = [one.strip() for one in ((taken.text if taken else "") or "").splitlines()]
    said = [one for one in lines if one and not one.startswith("#")]
    there = beside(f"conf.d/{NAME}", main)
    reads = [n for n, one in enumerate(said) if _pattern(one) and fits(there, beside(_pattern(one), main))]
    if not reads:
        line = f"!include_try {NAME}"
        return beside(NAME, main), "" if line in said else line
    line = f"!include_try conf.d/{NAME}"
    later = [one for one in said[reads[-1] + 1 :] if not _nothing(inside, main, one)]
    return there, line if later or _later_file(inside, there) else ""


def _pattern(line: str) -> str:
    word, _, rest = line.partition(" ")
    return rest.strip() if word in {"!include", "!include_try"} else ""


def _nothing(inside: Inside, main: str, line: str) -> bool:
    """`!include_try` of a file that does not exist."""
    pattern = _pattern(line)
    if not line.startswith("!include_try") or "*" in pattern:
        return False
    taken = inside.file(beside(pattern, main))
    return taken is None or not taken.exists


def _later_file(inside: Inside, ours: str) -> bool:
    """A file of the same directory that is read after ours."""
    directory = posixpath.dirname(ours)
    bundle = inside.bundle
    return bool(bundle) and any(
        posixpath.dirname(one.path) == directory and one.path.endswith(".conf") and one.path > ours
        for one in (bundle.files if bundle else ())
    )
