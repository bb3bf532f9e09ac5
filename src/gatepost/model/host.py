"""What was seen on a host itself: the facts of the host witness. `at` is `Endpoint(host)`, port 0.

A setting is what the files say, not what the process does; `ServerSeen.stale` tells where they may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gatepost.model.architecture import Endpoint


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written. Line 0: the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class SocketSeen:
    """A listening socket as the kernel has it. `address` is as bound: `0.0.0.0`, `::`, `127.0.0.1`, `192.0.2.5`."""

    at: Endpoint
    address: str
    port: int
    family: int  # 4 or 6
    dual: bool = False  # a socket on :: that takes IPv4 too
    process: str = ""  # empty: not told (needs root)
    pid: int = 0
    interface: str = ""
    transport: str = "tcp"


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """One running or configured instance of a mail server. `instance` is its configuration directory or file."""

    at: Endpoint
    software: str  # postfix, dovecot, exim
    version: str
    instance: str
    running: bool = False
    pid: int = 0
    started: datetime | None = None
    configured: datetime | None = None  # the newest change of its files
    files: tuple[str, ...] = ()

    @property
    def stale(self) -> bool:
        """The files changed after the process read them, as far as times tell."""
        return bool(self.started and self.configured and self.configured > self.started)


@dataclass(frozen=True, slots=True)
class ListenerConfigured:
    """A port that a server's configuration opens: a row of master.cf, an `inet_listener`, `daemon_smtp_ports`.

    `name` is what overrides are written for: `submission/inet`, `imap-login/imaps`. `addresses` empty: all.
    """

    at: Endpoint
    software: str
    instance: str
    name: str
    port: int
    addresses: tuple[str, ...] = ()
    command: str = ""  # smtpd, postscreen, imap-login …
    tls: bool = False  # TLS from the first byte
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class SettingSeen:
    """A setting with its value expanded. Secrets are shown as ***.

    `service` is empty for a global value, else what it is overridden for: `submission/inet` (Postfix), `protocol imap`,
    `service imap-login/inet_listener imap`, `local_name mail.example.org` (Dovecot). `default` marks a value nobody
    wrote; `place` is then None.
    """

    at: Endpoint
    software: str
    instance: str
    service: str
    name: str
    value: str
    written: str = ""  # before expansion, where that differs
    default: bool = False
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class PackageSeen:
    """An installed package of a mail server. `version` is the distribution's (`3.7.11-0+deb12u1`)."""

    at: Endpoint
    software: str
    package: str
    version: str
    distribution: str = ""  # Debian 12, from os-release


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A certificate or key file that a server is configured with. `purpose` is certificate, key, chain or other.

    `public` is the SHA-256 of the public key inside (SubjectPublicKeyInfo, hexadecimal), so that a certificate, a
    key and what a port serves can be held together without reading the key.
    """

    at: Endpoint
    path: str
    purpose: str
    exists: bool
    mode: int = 0
    owner: str = ""
    group: str = ""
    modified: datetime | None = None
    public: str = ""
    fingerprint: str = ""  # SHA-256 of the first certificate inside
    used_by: tuple[str, ...] = ()  # setting names
    place: Place | None = None  # of the setting


@dataclass(frozen=True, slots=True)
class DaemonSaid:
    """A complaint of a daemon's own check (`postfix check`, `doveconf`, `nft -c`)."""

    at: Endpoint
    software: str
    instance: str
    text: str
    broken: bool  # the configuration does not load


@dataclass(frozen=True, slots=True)
class BundleRead:
    """That the host was looked at from inside, when, how, and which programs were not there."""

    at: Endpoint
    taken_at: datetime
    via: str
    absent: tuple[str, ...] = ()
    root: bool = True


HostFact = SocketSeen | ServerSeen | ListenerConfigured | SettingSeen | PackageSeen | FileSeen | DaemonSaid | BundleRead
