"""Filters beside Postfix: amavis, OpenDKIM, OpenDMARC, policyd-spf, postgrey, SpamAssassin, ClamAV.

Only that they judged a message is taken from them, with its queue id: what they found is a stranger's text, and whether
it was refused is told by Postfix.
"""

from __future__ import annotations

from gatepost.logs.dialects.table import Dialect, Part, Table, row
from gatepost.model.event import Kind

MILTERS = Table(
    row("judged", Kind.MILTER, r"(?P<queue>[0-9A-Za-z]{8,20}): (?P<reason>.*)", literal=": "),
    row("said", Kind.MILTER, r"(?P<reason>.*)"),
)
_TAGS = frozenset(
    {"amavis", "amavisd", "clamav-milter", "clamsmtpd", "milter-greylist", "openarc", "opendkim", "opendmarc"}
    | {"policyd-spf", "postgrey", "postsrsd", "pyspf-milter", "smf-spf", "spamass-milter", "spamd", "spamassassin"}
)


def claims(tag: str) -> Part | None:
    name = tag.rpartition("/")[2]
    return Part(name, "", MILTERS) if name in _TAGS else None


FILTERS = Dialect("milters", claims, (("milters", MILTERS),))
