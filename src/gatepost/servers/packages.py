"""Installed packages of mail servers, as the distribution counts versions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost.model.architecture import Endpoint
from gatepost.model.bundle import Bundle
from gatepost.model.host import PackageSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason

RELEASE = "/etc/os-release"
NAMES = ("postfix*", "dovecot*", "exim*")
DPKG = ("dpkg-query", "-W", "-f", "${db:Status-Abbrev}\t${Package}\t${Version}\n", *NAMES)
RPM = ("rpm", "-qa", "--qf", "ii \t%{NAME}\t%{VERSION}-%{RELEASE}\n", *NAMES)
APK = ("apk", "list", "--installed", *NAMES)
COMMANDS = (DPKG, RPM, APK)
MOST = 1000

_APK = re.compile(r"^(?P<name>[a-z0-9_.+-]+?)-(?P<version>\d\S*) ")


def packages(bundle: Bundle, at: Endpoint) -> Iterator[PackageSeen | Unobserved]:
    """dpkg-query ends with 1 where one of the patterns fits nothing: that is an answer."""
    answered = [ran for command in COMMANDS if (ran := bundle.command(*command)) and not ran.absent and not ran.why]
    if not answered:
        yield Unobserved(at, "packages", Reason.REFUSED, "no package manager that we know answered")
    where = distribution(bundle)
    for ran in answered:
        lines = ran.stdout.splitlines()[:MOST]
        for name, version in _apk(lines) if ran.argv == APK else _listed(lines):
            software = next((pattern[:-1] for pattern in NAMES if name.startswith(pattern[:-1])), "")
            if software and version:
                yield PackageSeen(at, software, name, version, where)


def distribution(bundle: Bundle) -> str:
    """os-release(5), short: Debian 12."""
    taken = bundle.file(RELEASE)
    lines = (taken.text or "").splitlines()[:100] if taken else []
    told = {name: value.strip().strip("\"'") for name, _, value in (line.partition("=") for line in lines)}
    name = told.get("NAME", "").replace(" GNU/Linux", "").removesuffix(" Linux")
    return f"{name} {told.get('VERSION_ID', '')}".strip()[:80]


def _listed(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Only what is installed: `ii`; a package that left its configuration behind is `rc`."""
    for line in lines:
        state, _, rest = line.partition("\t")
        name, _, version = rest.partition("\t")
        if state.startswith("ii"):
            yield name, version.strip()


def _apk(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if found := _APK.match(line):
            yield found["name"], found["version"]
