"""The commands that mend a setting, for the ports where it is wrong, as an administrator types them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from shlex import quote

from gatepost.catalogue.settings import EVERYWHERE, OUTWARD, Row
from gatepost.checks.case import Case
from gatepost.checks.settings import declared
from gatepost.checks.settings.predicates import allowed_words
from gatepost.checks.settings.spots import Asked, Spot, told
from gatepost.model.flows import Network
from gatepost.servers.wordlists import words

_MOST = 20  # words of a value that is worked out
_POSTFIX = "/etc/postfix"


def mended(row: Row, case: Case, wrong: Sequence[Spot]) -> str:
    """Empty where the catalogue's own words are all there is to say."""
    if row.flawed_without and any(spot.server.version not in row.versions for spot in wrong):
        newer = f"{row.software.capitalize()} {row.versions.text.removeprefix('>=')}"
        return f"Install {newer} or newer, or the distribution's fixed package"
    wanted = [(spot, value) for spot in wrong if (value := _value(row, case, spot)) is not None]
    if row.software == "dovecot":
        return "\n".join(dict.fromkeys(_dovecot(row, spot, value) for spot, value in wanted))
    return "\n".join(_postfix(row, case, wanted))


def _value(row: Row, case: Case, spot: Spot) -> str | None:
    if row.mend:
        return None
    value = row.sets(spot.server.version, spot.kin)
    return _worked_out(Asked(case, row, spot)) if value is None else value


def _postfix(row: Row, case: Case, wanted: Sequence[tuple[Spot, str]]) -> Iterator[str]:
    """One command for each instance and kind. An override in master.cf wins over main.cf: it is changed there."""
    commands: dict[tuple[str, str], list[str]] = defaultdict(list)
    for spot, value in wanted:
        overriding = {one.service for one in told(case, spot.server) if one.name == row.reads and one.service}
        service = _service(row, spot, overriding)
        setting = _quoted(f"{service}/{row.setting}={value}" if service else f"{row.setting} = {value}")
        commands[spot.server.instance, "-P" if service else "-e"].append(setting)
    for (instance, kind), written in commands.items():
        at = "" if instance == _POSTFIX else f" -c {quote(instance)}"
        yield f"postconf{at} {kind} {' '.join(dict.fromkeys(written))} && postfix{at} reload"


def _quoted(word: str) -> str:
    """Names and values are the host's: who pastes the command runs nothing else."""
    return "'" + word.replace("'", "'\\''") + "'"


def _service(row: Row, spot: Spot, overriding: set[str]) -> str:
    behind = "smtpd/pass" if spot.postscreen else spot.service
    if behind in overriding:
        return behind
    everywhere = EVERYWHERE in row.applies_to or OUTWARD in row.applies_to
    return behind if row.per_service and not everywhere else ""


def _dovecot(row: Row, spot: Spot, value: str) -> str:
    block = spot.service if spot.listener is None and spot.service else ""
    line = f"{block} {{ {row.setting} = {value} }}" if block else f"{row.setting} = {value}"
    return f"Dovecot: {line} (in a file that is included last), then doveadm reload"


def _worked_out(asked: Asked) -> str | None:
    """What is there without what is wrong, or what is declared."""
    op, seen = asked.row.safe.op, asked.seen(asked.row.reads)
    if op == "networks_within" and asked.case.declared:
        return _networks(asked)
    if op == "set_within" and asked.case.declared and seen is not None:
        return _declared_words(asked, seen.value)
    if op == "tokens_exclude" and seen is not None:
        return ", ".join(word for word in words(seen.value) if word.lower() not in asked.row.safe.values)
    return None


def _declared_words(asked: Asked, value: str) -> str | None:
    """A table that nobody read is not thrown away."""
    allowed = allowed_words(asked, asked.row.safe)
    found = words(value)
    if any(":" in word or word.startswith("/") for word in found):
        return None
    return " ".join(word for word in found if word.lower() in allowed)


def _networks(asked: Asked) -> str:
    """Postfix puts IPv6 addresses in brackets (postconf(5) mynetworks). Who may relay is this host first of all."""
    postfix = asked.row.software == "postfix"
    word = asked.row.safe.values[0]
    own = declared.LOOPBACK if word == "declared.relay_clients" else ()
    listed = [*own, *declared.networks(asked.case, word)]
    return " ".join(_written(one, brackets=postfix) for one in listed[:_MOST])


def _written(network: Network, *, brackets: bool) -> str:
    if network.version == 6 and brackets:
        return f"[{network.network_address}]/{network.prefixlen}"
    return str(network)
