"""What mends a failed control, in the words of the server that answered."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from gatepost.catalogue import document
from gatepost.catalogue.settings import Row, setting_of, settings
from gatepost.model.words import Role

ANY = "any"
LABELS = {ANY: "any server", "dovecot": "Dovecot", "exim": "Exim", "postfix": "Postfix"}
FAMILY = {"Dovecot": "dovecot", "Exim": "exim", "Pigeonhole": "dovecot", "Postfix": "postfix"}
MAILBOX = frozenset({Role.ACCESS, Role.SIEVE})
SERVERS = {True: ("dovecot",), False: ("postfix", "exim")}  # who speaks for mailbox roles, and for the others

Words = dict[str, str]


def remedy(control: str, check: str, software: str, role: Role) -> str:
    """The settings of the server that answered; for a server that hides its name, of all it may be."""
    words = _words(control, check)
    family = FAMILY.get(software)
    if family is not None and (said := _said(words, family, role)):
        return f"{LABELS[family]}: {said}"
    if software:
        return words.get(ANY, "")
    guesses = [f"{LABELS[one]}: {said}" for one in SERVERS[role in MAILBOX] if (said := _said(words, one, role))]
    return "\n".join([words[ANY], *guesses] if ANY in words else guesses)


def remedies(control: str) -> tuple[tuple[str, str], ...]:
    """Every remedy of a control as (server, settings), for the page that explains it."""
    rows = [row for key, words in _table().items() if key.partition("/")[0] == control for row in _rows(words)]
    configured = [(LABELS[one.software], _commands(one)) for one in settings() if one.control == control]
    return tuple(dict.fromkeys((*rows, *configured)))


def _words(control: str, check: str) -> Words:
    if row := setting_of(check):
        return {ANY: f"{LABELS[row.software]}: {_commands(row)}"}
    table = _table()
    return table.get(f"{control}/{check}") or table.get(control) or {}


def _said(words: Words, family: str, role: Role) -> str:
    return words.get(f"{family}:{role.value}") or words.get(family, "")


def _rows(words: Words) -> Iterator[tuple[str, str]]:
    for key, text in words.items():
        server, _, role = key.partition(":")
        yield f"{LABELS[server]}, {role}" if role else LABELS[server], text


def _commands(row: Row) -> str:
    """What sets a setting, where a judge does not know the host well enough to say it in full."""
    value = row.sets()
    if row.mend or value is None:
        return row.mend or f"{row.setting}: only what the declaration names"
    if row.software == "dovecot":
        return f"{row.setting} = {value}, then doveadm reload"
    where = f"-P 'SERVICE/{row.setting}={value}'" if row.per_service else f"-e '{row.setting} = {value}'"
    return f"postconf {where} && postfix reload"


@cache
def _table() -> dict[str, Words]:
    table: dict[str, Words] = document("remedies")["remedies"]
    return table
