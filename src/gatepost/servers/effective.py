"""Which value of a setting is in effect where: override, then global value, then built-in value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gatepost.model.architecture import Endpoint
from gatepost.model.host import ListenerConfigured, ServerSeen, SettingSeen
from gatepost.model.observation import Seen, of

DEEPEST = 10  # names that stand for names
PROTOCOLS = {"managesieve": "sieve", "managesieve-login": "sieve"}

_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))")


def effective(seen: Seen, at: Endpoint, software: str, instance: str, service: str, name: str) -> SettingSeen | None:
    """`service` is the name of a ListenerConfigured (`submission/inet`, `imap-login/imaps`), a block of Dovecot as
    SettingSeen has it (`local_name mail.example.org`), or empty for the global value. None: nobody told.
    """  # fmt: skip
    host = Endpoint(at.host)
    told = {
        (s.service, s.name): s for s in of(SettingSeen, seen, host) if (s.software, s.instance) == (software, instance)
    }
    for place in _places(seen, host, software, instance, service, name):
        if found := told.get((place, name)):
            return found if place else _within(told, service, found)
    return None


def service_at(seen: Seen, host: str, port: int, address: str = "") -> ListenerConfigured | None:
    """What is configured to listen there. A listener bound to the address goes before one for all of them.

    An instance that runs goes before one that does not; see `listeners_at` for all of them.
    """
    return next(iter(listeners_at(seen, host, port, address)), None)


def listeners_at(seen: Seen, host: str, port: int, address: str = "") -> tuple[ListenerConfigured, ...]:
    at = Endpoint(host)
    running = {(s.software, s.instance) for s in of(ServerSeen, seen, at) if s.running}
    fitting = [one for one in of(ListenerConfigured, seen, at) if one.port == port and _covers(one, address)]
    return tuple(
        sorted(fitting, key=lambda one: ((one.software, one.instance) not in running, address not in one.addresses))
    )


def _covers(one: ListenerConfigured, address: str) -> bool:
    if not address or not one.addresses or address in one.addresses:
        return True
    return ("::" if ":" in address else "0.0.0.0") in one.addresses


def _places(seen: Seen, at: Endpoint, software: str, instance: str, service: str, name: str) -> Iterator[str]:
    """Where to look, most particular first."""
    if software == "postfix" and service:
        yield from _postfix(seen, at, instance, service, name)
    elif service:
        yield service
        outer = service.rpartition("/")[0]
        if " " in service.partition("/")[0]:
            yield from [outer] if outer else []
        else:
            program = service.partition("/")[0]
            yield f"protocol {PROTOCOLS.get(program, program.removesuffix('-login'))}"
    yield ""


def _postfix(seen: Seen, at: Endpoint, instance: str, service: str, name: str) -> Iterator[str]:
    """postscreen(8) hands each client on to the smtpd of the `pass` service, which has overrides of its own."""
    mine = [one for one in of(ListenerConfigured, seen, at) if (one.name, one.instance) == (service, instance)]
    if any(one.command == "postscreen" for one in mine) and not name.startswith("postscreen_"):
        told = (
            s
            for s in of(SettingSeen, seen, at)
            if (s.service, s.name, s.instance) == ("", "smtpd_service_name", instance)
        )
        passed = next((s.value for s in told), "smtpd")
        yield f"{passed}/pass"
    yield service


def _within(told: dict[tuple[str, str], SettingSeen], service: str, found: SettingSeen) -> SettingSeen:
    """A global value that stands for another setting means what that one is here.

    `smtpd_sasl_tls_security_options = $smtpd_sasl_security_options` follows an override of the latter. Conditions
    (`${name?{…}}`) keep the value that postconf gave them.
    """
    overridden = {name for at, name in told if at == service and at}
    names = {next(filter(None, groups)) for groups in _REFERENCE.findall(found.written)}
    if found.software != "postfix" or not names & overridden or "?" in found.written or ":" in _braced(found.written):
        return found
    return replace(found, value=_expanded(told, service, found.written, DEEPEST))


def _braced(written: str) -> str:
    return "".join(re.findall(r"\$\{[^}]*\}", written))


def _expanded(told: dict[tuple[str, str], SettingSeen], service: str, text: str, depth: int) -> str:
    def value(found: re.Match[str]) -> str:
        name = next(filter(None, found.groups()))
        one: SettingSeen | None = told.get((service, name)) or told.get(("", name))
        if one is None or depth == 0:
            return found.group(0)
        return _expanded(told, service, one.written, depth - 1) if one.written else one.value

    return _REFERENCE.sub(value, text)
