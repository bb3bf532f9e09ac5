"""A DKIM key on a terminal: the record to publish, the signer's settings, the rotation; or file against DNS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from gatepost.model.dns import Presence
from gatepost.model.domain import DkimKeySeen
from gatepost.model.observation import Unobserved
from gatepost.records import dkim, dkim_public, tags, zone_text
from gatepost.records.dkim_rotation import Deed, Turn
from gatepost.report.escape import printable
from gatepost.report.layout import hanging, joined, paint, text
from gatepost.report.page import ADVICE, LONGEST, PROBLEM, document, headline, listed
from gatepost.report.plain import Plain, to_plain
from gatepost.report.truth import Standing

SCHEMA = "gatepost/dkim/1"
TTL = 3600  # seconds, of the records proposed

_DATE = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True, slots=True)
class Signing:
    """A key and where it is kept. `fresh`: made just now. `file` as signers should be told it."""

    domain: str
    selector: str
    file: str
    type: str
    bits: int
    p: str
    fresh: bool = False
    exposed: bool = False

    @property
    def record(self) -> str:
        return dkim.render(self.type, self.p)

    @property
    def owner(self) -> str:
        return dkim.owner(self.domain, self.selector)

    @property
    def kind(self) -> str:
        return f"RSA {self.bits}" if self.type == "rsa" else "Ed25519"


@dataclass(frozen=True, slots=True)
class Told:
    """A key with its rotation, or with what DNS publishes under its selector."""

    key: Signing
    turns: tuple[Turn, ...] = ()
    notes: tuple[str, ...] = ()
    published: DkimKeySeen | Unobserved | None = None

    @property
    def verdict(self) -> str:
        """Of the comparison: match, differs, revoked, absent, unknown; empty when none was asked for."""
        seen = self.published
        if seen is None:
            return ""
        if isinstance(seen, Unobserved):
            return "unknown"
        if seen.presence is not Presence.PRESENT:
            return "absent"
        if seen.revoked:
            return "revoked"
        value = tags.read(seen.text).first("p") or ""
        return "match" if dkim_public.same(self.key.type, self.key.p, value) else "differs"

    @property
    def faulty(self) -> bool:
        return isinstance(self.published, DkimKeySeen) and bool(self.published.problems)


def render(told: Told, *, width: int = 100, colour: bool = False) -> str:
    page = _comparison(told, width) if told.published is not None else _proposal(told, width)
    return paint(page, colour=colour)


def to_json(told: Told) -> str:
    """The private key is nowhere in it."""
    key = told.key
    plain: dict[str, Plain] = {
        "domain": key.domain,
        "selector": key.selector,
        "file": key.file,
        "made": key.fresh,
        "type": key.type,
        "bits": key.bits,
        "record": {"name": key.owner, "text": key.record, "zone": zone_text.txt(key.owner, key.record, TTL)},
        "signers": [{"software": one, "setting": where, "line": line} for one, where, line in _signers(key)],
        "rotation": [to_plain(turn) for turn in told.turns],
        "notes": list(told.notes),
        "check": {"verdict": told.verdict, "seen": to_plain(told.published)} if told.published else None,
    }
    return document(SCHEMA, plain)


def exit_code(told: Told) -> int:
    """0 for a match without a problem, 1 for anything else that DNS says, 3 where it did not say."""
    if told.verdict == "match":
        return int(told.faulty)
    return {"": 0, "unknown": 3}.get(told.verdict, 1)


def _proposal(told: Told, width: int) -> list[Text]:
    key = told.key
    made = "made" if key.fresh else "kept as it was"
    page = [
        *headline(Standing.GOOD, joined(text(key.owner, "bold"), f"   {key.kind}"), width),
        text(f"  private key {made}: {printable(key.file)}"),
    ]
    page += listed(ADVICE, told.notes, width)
    if not told.turns or told.turns[0].deed is not Deed.PUBLISH:
        return page
    page += [text(""), text("PUBLISH", "bold")]
    page += _zone(told.turns[0].record)
    page += [text(""), text("SIGN", "bold"), *_settings(key)]
    page += [text("  The key file is for its owner alone: that has to be the user the signer runs as.", "dim")]
    return [*page, text(""), text("ROTATION" if len(told.turns) > 2 else "THEN", "bold"), *_turns(told.turns, width)]


def _zone(record: str) -> list[Text]:
    """To be copied: unwrapped, and from the first column on, since blanks there mean something in a zone file."""
    return [text(line) for line in record.splitlines()]


def _settings(key: Signing) -> list[Text]:
    rows = _signers(key)
    return [
        joined(
            text(f"  {software if n == 0 or software != rows[n - 1][0] else '':<10}"), text(f"{where:<27}", "dim"), line
        )
        for n, (software, where, line) in enumerate(rows)
    ]


def _signers(key: Signing) -> list[tuple[str, str, str]]:
    """Software, where the line goes, and the line."""
    file = printable(key.file)
    return [
        ("OpenDKIM", "KeyTable", f"{key.owner} {key.domain}:{key.selector}:{file}"),
        ("OpenDKIM", "SigningTable (refile:)", f"*@{key.domain} {key.owner}"),
        (
            "Rspamd",
            "local.d/dkim_signing.conf",
            f'domain {{ {key.domain} {{ selector = "{key.selector}"; path = "{file}"; }} }}',
        ),
    ]


def _turns(turns: Sequence[Turn], width: int) -> list[Text]:
    page: list[Text] = []
    for n, turn in enumerate(turns, 1):
        label = joined(text(f"  {n}  "), text(f"{turn.at:{_DATE}}", "bold"))
        page += hanging(label, turn.text, indent=27, width=width)
        page += hanging(text(""), turn.why, indent=27, width=width, style="dim")
    return page


def _comparison(told: Told, width: int) -> list[Text]:
    key, verdict = told.key, told.verdict
    words = {
        "match": "DNS publishes this key" + (", with a fault" if told.faulty else ""),
        "differs": "DNS publishes another key: signatures made with this file fail",
        "revoked": "DNS says the key is revoked: signatures made with this file fail",
        "absent": "DNS has no key there: signatures made with this file fail",
        "unknown": "DNS did not say",
    }[verdict]
    good = Standing.ATTENTION if told.faulty else Standing.GOOD
    standing = {"match": good, "unknown": Standing.UNKNOWN}.get(verdict, Standing.BAD)
    page = headline(standing, joined(text(key.owner, "bold"), f"   {words}"), width)
    page += hanging(text("  file", "dim"), f"{printable(key.file)}: {key.kind}", indent=8, width=width)
    page += hanging(text("  DNS", "dim"), _seen(told.published), indent=8, width=width)
    if isinstance(told.published, DkimKeySeen):
        page += listed(PROBLEM, told.published.problems, width)
        page += listed(ADVICE, told.published.advice, width)
    return [*page, *listed(ADVICE, told.notes, width)]


def _seen(seen: DkimKeySeen | Unobserved | None) -> str:
    if seen is None or isinstance(seen, Unobserved):
        return printable(seen.detail, LONGEST) if seen else ""
    if seen.presence is not Presence.PRESENT:
        return "no such name" if seen.presence is Presence.ABSENT else "no TXT record"
    kind = {"rsa": f"RSA {seen.bits}", "ed25519": "Ed25519"}.get(seen.key_type, seen.key_type) if seen.bits else ""
    flags = ("revoked" if seen.revoked else "", "testing" if seen.testing else "", f"kept {seen.ttl} s")
    return ", ".join(filter(None, (printable(kind, 40), *flags)))
