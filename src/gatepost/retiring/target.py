"""What can be retired: a port, clear text on a port, logins on the port for relays, a TLS version, a mechanism."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from gatepost import catalogue
from gatepost.errors import UsageError
from gatepost.model.event import Cover
from gatepost.model.use import Use
from gatepost.model.using import spoken

OLDER = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")  # in order of age
ENTERED = frozenset({"imap", "managesieve", "pop3", "smtp"})  # protocols in which accounts log in
IMPLICIT = {"imap": "imaps", "pop3": "pop3s"}  # one name in the log for two ports
_VERSION = re.compile(r"(?:ssl(v?3)|tls(?:v)?1(?:\.([0-2]))?)", re.IGNORECASE)
_WAY = re.compile(r"([a-z0-9-]+?)-(plain|auth)", re.IGNORECASE)


class What(StrEnum):
    AUTH = "auth"  # logins on a port
    MECHANISM = "mechanism"
    PLAIN = "plain"  # clear text on a port
    PORT = "port"
    TLS = "tls"  # a version and everything older


class Concerned(StrEnum):
    """Whether a use ends with the target."""

    MAYBE = "maybe"  # the log does not tell
    NO = "no"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Target:
    """`name` is what the operator calls it and what is remembered. `value` is a TLS version or a mechanism."""

    name: str
    what: What
    service: str = ""
    port: int | None = None
    value: str = ""

    @property
    def title(self) -> str:
        where = f"port {self.port} ({self.service})"
        return {
            What.AUTH: f"logins on {where}",
            What.MECHANISM: f"logins by {self.value}",
            What.PLAIN: f"clear text on {where}",
            What.PORT: where,
            What.TLS: f"{spoken(self.value)} and older",
        }[self.what]

    def concerns(self, use: Use) -> Concerned:
        """Whether this use ends with it."""
        match self.what:
            case What.PORT:
                return self._here(use)
            case What.PLAIN:
                return _both(self._here(use), _clear(use))
            case What.AUTH:
                return _both(self._here(use), Concerned.YES if use.user else Concerned.NO)
            case What.MECHANISM:
                return Concerned.YES if use.method == self.value else Concerned.NO
        return _older(use, self.value)

    def _here(self, use: Use) -> Concerned:
        """Without a port: what came without TLS was surely not where TLS begins at once; inside it may be either."""
        if use.port is not None:
            return Concerned.YES if use.port == self.port else Concerned.NO
        begun_in_clear = use.cover in {Cover.NONE, Cover.LOCAL} or use.starttls is True
        either = use.service in IMPLICIT and not begun_in_clear
        if use.service == self.service:
            return Concerned.MAYBE if either else Concerned.YES
        return Concerned.MAYBE if either and IMPLICIT[use.service] == self.service else Concerned.NO


def target(text: str) -> Target:
    """`110`, `pop3`, `587-plain`, `25-auth`, `tls1.0`, `cram-md5`. Raises UsageError with what could be meant."""
    if version := _VERSION.fullmatch(text):
        minor = version[2] or "0"
        value = "SSLv3" if version[1] else "TLSv1" if minor == "0" else f"TLSv1.{minor}"
        return Target(f"tls1.{minor}" if not version[1] else "sslv3", What.TLS, value=value)
    if text.lower() in {"cram-md5", "digest-md5", "ntlm", "login"}:
        return Target(text.lower(), What.MECHANISM, value=text.upper())
    way = _WAY.fullmatch(text)
    known = _port(way[1] if way else text)
    if known is None:
        raise UsageError(f"{text}: write a port (110, pop3), 587-plain, 25-auth, tls1.0, tls1.1 or cram-md5")
    service, port = known
    if way is None:
        return Target(str(port), What.PORT, service, port)
    return Target(f"{port}-{way[2].lower()}", What(way[2].lower()), service, port)


def _port(text: str) -> tuple[str, int] | None:
    """By number or name, as far as the catalogue knows it for mail."""
    if text.isascii() and text.isdigit():
        number = int(text)
        usual = catalogue.port_numbered(number)
        return (usual.id, number) if usual and usual.protocol in ENTERED else None
    named = catalogue.port(text.lower())
    return (named.id, named.number) if named and named.protocol in ENTERED else None


def _clear(use: Use) -> Concerned:
    if use.cover is Cover.UNKNOWN:
        return Concerned.MAYBE
    return Concerned.YES if use.cover is Cover.NONE else Concerned.NO


def _older(use: Use, version: str) -> Concerned:
    if use.cover in {Cover.NONE, Cover.LOCAL, Cover.OUTSIDE}:
        return Concerned.NO
    if not use.tls:
        return Concerned.MAYBE if use.cover is Cover.TLS else Concerned.NO
    known = use.tls in OLDER
    return Concerned.YES if known and OLDER.index(use.tls) <= OLDER.index(version) else Concerned.NO


def _both(one: Concerned, other: Concerned) -> Concerned:
    if Concerned.NO in {one, other}:
        return Concerned.NO
    return Concerned.MAYBE if Concerned.MAYBE in {one, other} else Concerned.YES
