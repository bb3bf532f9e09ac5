"""A host from a few lines of configuration: the facts of it, what the judges say, and what becomes of it when done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_network

from gatepost import catalogue
from gatepost.audit import conclude
from gatepost.enforce import Wishes
from gatepost.enforce import plan as desired
from gatepost.enforcement import include
from gatepost.firewall.matrix import matrix
from gatepost.model.architecture import Architecture, Endpoint, Host, Service, Zone
from gatepost.model.audit import Audit
from gatepost.model.bundle import Bundle, FileTaken
from gatepost.model.host import BundleRead, HostFact, ListenerConfigured, Place, ServerSeen, SettingSeen
from gatepost.model.observation import Observation, Run, Seen
from gatepost.model.plan import Plan, Step
from gatepost.model.words import Mode, Role

NAME = "mx1.example.org"
AT = Endpoint(NAME)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
POSTFIX, DOVECOT = "/etc/postfix", "/etc/dovecot/dovecot.conf"
CONF = "/etc/dovecot/conf.d/10-site.conf"
OURS = "/etc/dovecot/conf.d/zz-gatepost.conf"
DEBIAN = "# comments\nprotocols = imap pop3\n!include conf.d/*.conf\n!include_try local.conf\n"
CERTIFIED = {"smtpd_tls_chain_files": "/etc/ssl/mx1.pem"}
USUAL = ("smtp", "submission", "submissions", "imaps", "imap", "managesieve")

ALONE = Host(NAME, ("192.0.2.5",), ())

Settings = Mapping[str, str]


@dataclass(frozen=True)
class House:
    """`main` and `services` are Postfix, `dovecot` settings by block and name (`protocol imap/ssl` as a pair)."""

    main: Settings = field(default_factory=dict)
    services: Mapping[str, Settings] = field(default_factory=dict)
    dovecot: Mapping[tuple[str, str], str] = field(default_factory=dict)
    listeners: Mapping[str, int] = field(default_factory=dict)  # Dovecot's
    default: frozenset[str] = frozenset()  # names of `main` that nobody wrote
    declared: tuple[str, ...] = USUAL
    versions: tuple[str, str] = ("3.7.11", "2.3.19.1")
    more: tuple[Observation, ...] = ()
    files: Mapping[str, str] = field(default_factory=lambda: {DOVECOT: DEBIAN})
    host: Host = ALONE
    zones: tuple[Zone, ...] = (Zone("office", (ip_network("198.51.100.0/24"),)),)

    @property
    def architecture(self) -> Architecture:
        services = (*self.host.services, *(declared(name) for name in self.declared))
        return Architecture(hosts=(replace(self.host, services=services),), zones=self.zones, source="gatepost.toml")

    def facts(self) -> tuple[Observation, ...]:
        return (BundleRead(AT, NOW, "this machine"), *self._postfix(), *self._dovecot(), *self.more)

    def _postfix(self) -> list[HostFact]:
        if not self.services and not self.main:
            return []
        found: list[HostFact] = [ServerSeen(AT, "postfix", self.versions[0], POSTFIX, running=True)]
        for n, (name, value) in enumerate(self.main.items(), 1):
            place = None if name in self.default else Place(f"{POSTFIX}/main.cf", n)
            found.append(
                SettingSeen(AT, "postfix", POSTFIX, "", name, value, default=name in self.default, place=place)
            )
        for n, (service, own) in enumerate(self.services.items(), 1):
            place = Place(f"{POSTFIX}/master.cf", n)
            found += [SettingSeen(AT, "postfix", POSTFIX, service, k, v, place=place) for k, v in own.items()]
            if service.endswith("/pass"):
                continue  # no listener: postscreen hands clients over to it
            word = service.rpartition("/")[0].rpartition(":")
            port = int(word[2]) if word[2].isdecimal() else catalogue.number(word[2])
            addresses = (word[0],) if word[0] else ()
            handed = service == "smtp/inet" and "smtpd/pass" in self.services
            command = "postscreen" if handed else "smtpd"
            found.append(ListenerConfigured(AT, "postfix", POSTFIX, service, port, addresses, command, place=place))
        return found

    def _dovecot(self) -> list[HostFact]:
        if not self.dovecot and not self.listeners:
            return []
        found: list[HostFact] = [ServerSeen(AT, "dovecot", self.versions[1], DOVECOT, running=True)]
        for n, ((service, name), value) in enumerate(self.dovecot.items(), 1):
            found.append(SettingSeen(AT, "dovecot", DOVECOT, service, name, value, place=Place(CONF, n)))
        for n, (name, port) in enumerate(self.listeners.items(), 1):
            command = name.partition("/")[0]
            found.append(ListenerConfigured(AT, "dovecot", DOVECOT, name, port, (), command, place=Place(CONF, n)))
        return found

    def bundle(self) -> Bundle:
        files = tuple(
            FileTaken(path, True, 0o644, "root", "root", len(text), NOW, text) for path, text in self.files.items()
        )
        return Bundle(NAME, NOW, "this machine", (), files)

    def audit(self) -> Audit:
        run = Run(Seen(self.facts()), NOW)
        profile = catalogue.profile("rfc9325")
        services = {
            Endpoint(NAME, a, s.port): s for h in self.architecture.hosts for a in h.addresses for s in h.services
        }
        return conclude(run, self.architecture, profile, services, (NAME,), now=NOW, mine=True)

    def plan(self, wishes: Wishes | None = None) -> Plan:
        return desired(self.audit(), matrix(self.architecture), (self.bundle(),), now=NOW, wishes=wishes)

    def done(self, plan: Plan) -> House:
        """The same host after the steps, by what their commands and files say."""
        after = self
        for step in plan.doing:
            after = _after(after, step)
        return after


def declared(name: str) -> Service:
    row = catalogue.row(name)
    return Service(name, row.number, row.protocol, Role(row.duty), Mode(row.mode), row.exposure)


def _after(house: House, step: Step) -> House:
    for act in step.acts:
        house = _acted(house, act.argv)
    for one in step.writes:
        house = replace(house, files={**house.files, one.path: one.text})
        for (path, name), value in include.read(one.text).items():
            if name == "port" and value == "0":
                gone = f"{path[0].removeprefix('service ')}/{path[1].removeprefix('inet_listener ')}"
                house = replace(house, listeners={k: v for k, v in house.listeners.items() if k != gone})
            else:
                house = replace(house, dovecot={**house.dovecot, ("/".join(path), name): value})
    return house


def _acted(house: House, argv: tuple[str, ...]) -> House:
    match argv:
        case ("postconf", "-c", _, "-e", text):
            name, _, value = text.partition("=")
            return replace(house, main={**house.main, name: value}, default=house.default - {name})
        case ("postconf", "-c", _, "-P", text):
            place, _, value = text.partition("=")
            service, _, name = place.rpartition("/")
            return replace(house, services={**house.services, service: {**house.services[service], name: value}})
        case ("postconf", "-c", _, "-M#", service):
            return replace(house, services={k: v for k, v in house.services.items() if k != service})
        case ("postconf", "-c", _, "-F", text):
            old, _, new = text.partition("=")
            service = old.removesuffix("/service")
            kept = {k: v for k, v in house.services.items() if k != service}
            return replace(house, services={**kept, f"{new}/inet": house.services[service]})
    return house


def acts(plan: Plan) -> list[str]:
    """Commands of Postfix without the configuration they are for."""
    listed = [act.argv for step in plan.doing for act in step.acts if act.argv[0] == "postconf"]
    return [" ".join((argv[3].removeprefix("-"), argv[4])) for argv in listed]


def written(plan: Plan) -> dict[str, str]:
    """What Dovecot gets: by block and name."""
    texts = [one.text for step in plan.doing for one in step.writes]
    return {"/".join((*path, name)): value for text in texts for (path, name), value in include.read(text).items()}


def by_hand(plan: Plan) -> list[str]:
    return [step.key.rpartition(":")[2] for step in plan.steps if step.by_hand]
