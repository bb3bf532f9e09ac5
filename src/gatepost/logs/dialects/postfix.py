"""Postfix 3.4 to 3.11: `postfix/smtpd`, `postfix/submission/smtpd`, `postfix-inbound/smtps/smtpd` …"""

from __future__ import annotations

from gatepost.logs.dialects.postfix_queue import BOUNCE, CLEANUP, DELIVERY, OTHER, PICKUP, POSTSUPER, QMGR
from gatepost.logs.dialects.postfix_screen import ANVIL, DNSBLOG, POSTSCREEN, TLSPROXY
from gatepost.logs.dialects.postfix_smtpd import SMTPD
from gatepost.logs.dialects.table import Dialect, Part, Table

_TABLES: dict[str, Table] = {
    "anvil": ANVIL,
    "bounce": BOUNCE,
    "cleanup": CLEANUP,
    "discard": DELIVERY,
    "dnsblog": DNSBLOG,
    "error": DELIVERY,
    "lmtp": DELIVERY,
    "local": DELIVERY,
    "nqmgr": QMGR,
    "oqmgr": QMGR,
    "pickup": PICKUP,
    "pipe": DELIVERY,
    "postscreen": POSTSCREEN,
    "postsuper": POSTSUPER,
    "qmgr": QMGR,
    "smtp": DELIVERY,
    "smtpd": SMTPD,
    "tlsproxy": TLSPROXY,
    "virtual": DELIVERY,
}
_USUAL = {"postscreen": "smtp", "smtpd": "smtp"}
_SPELLINGS = {"smtps": "submissions", "submissions": "submissions"}
_LONGEST = 40


def claims(tag: str) -> Part | None:
    """A tag is the instance, what master.cf calls the service with `-o syslog_name=`, and the daemon.

    Without a name of its own a port cannot be told from 25.
    """
    instance, *middle, daemon = tag.split("/") if "/" in tag else (tag, "")
    if not instance.startswith("postfix"):
        return None
    named = middle[-1][:_LONGEST] if middle else ""
    service = _SPELLINGS.get(named, named) or _USUAL.get(daemon, "")
    return Part((daemon or instance)[:_LONGEST], service, _TABLES.get(daemon, OTHER))


POSTFIX = Dialect("postfix", claims, (*_TABLES.items(), ("master", OTHER)))
