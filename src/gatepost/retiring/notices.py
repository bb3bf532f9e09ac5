"""The mail to an account that would break: drafted, never sent by us."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from string import Template

from gatepost import catalogue
from gatepost.errors import UsageError
from gatepost.model.event import MICROSECONDS
from gatepost.retiring.assessment import Account, Assessment
from gatepost.retiring.target import Target, What

TEXT = """\
Hello,

your mail account $account is still used in a way that we will switch off on $close:
$title. It was last seen on $last, from $networks.

$remedy
$rehearsal
After $close a program that has not been changed can no longer $loss. Nothing in your mailbox is lost.

If this program is a printer, a scanner or a script, please tell whoever looks after it.

$signature
"""
_SEVERAL = frozenset(' ,;:<>()[]\\"@')
_NOBODY = "undisclosed-recipients:;"
_SAFE = re.compile(r"[^a-z0-9@._-]+")
_REMEDY = {
    What.AUTH: "Please set the outgoing server to port 465 with SSL/TLS, or 587 with STARTTLS.",
    What.MECHANISM: "Please set the way of logging in to “normal password”, with SSL/TLS switched on.",
    What.TLS: "Please bring the program or the device up to date, so that it speaks TLS 1.2 or newer.",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """`name` is a file name without directories."""

    name: str
    letter: EmailMessage


@dataclass(frozen=True, slots=True)
class Sender:
    """`domain` completes accounts that are no addresses."""

    address: str
    organization: str
    domain: str


def notice(
    account: Account, assessment: Assessment, close: date, rehearse: date | None, sender: Sender, text: str = TEXT
) -> Notice:
    """Raises UsageError for a template with unknown fields."""
    letter = EmailMessage()
    letter["Subject"] = f"Please change your mail settings before {close:%d %B %Y}"
    letter["From"] = sender.address
    letter["To"] = _to(account.user, sender.domain)
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nothing automatic may answer it
    letter.set_content(_filled(text, account, assessment, close, rehearse, sender))
    return Notice(f"{_SAFE.sub('_', account.user.lower())[:120] or 'account'}.eml", letter)


def _filled(
    text: str, account: Account, assessment: Assessment, close: date, rehearse: date | None, sender: Sender
) -> str:
    target = assessment.target
    fields = {
        "account": account.user,
        "close": f"{close:%A, %d %B %Y}",
        "title": target.title,
        "last": f"{datetime.fromtimestamp(account.last / MICROSECONDS, UTC):%d %B %Y}",
        "networks": ", ".join(account.networks[:4]) or "an unknown place",
        "remedy": remedy(target),
        "rehearsal": f"\nFor one hour on {rehearse:%A, %d %B %Y} we switch it off on trial.\n" if rehearse else "",
        "loss": "send mail"
        if target.what is What.AUTH or target.service.startswith("submission")
        else "reach your mail",
        "signature": sender.organization or sender.address,
    }
    try:
        return Template(text).substitute(fields)
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"template: unknown field {error}; there are {', '.join(f'${name}' for name in sorted(fields))}"
        ) from None


def remedy(target: Target) -> str:
    """One sentence that a user can follow."""
    if target.what in _REMEDY:
        return _REMEDY[target.what]
    usual = catalogue.port(target.service)
    successor = catalogue.port(usual.successor) if usual and usual.successor else None
    if target.what is What.PLAIN or successor is None:
        return f"Please set the security of the connection on port {target.port} to STARTTLS, or to SSL/TLS."
    return f"Please set the server's port to {successor.number} and the security of the connection to SSL/TLS."


def _to(user: str, domain: str) -> str | Address:
    """An account that is no address gets our domain; what cannot be written as one stays a comment."""
    local, _, given = user.partition("@")
    if not user.isprintable() or _SEVERAL & set(local) or _SEVERAL & set(given) or not local:
        return _NOBODY  # a comma would make two recipients of one account
    try:
        return Address(username=local, domain=given or domain)
    except (ValueError, IndexError):
        return _NOBODY
