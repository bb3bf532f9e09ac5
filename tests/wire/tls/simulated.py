"""A TLS server in memory that answers hellos by policy and computes nothing: the truth a survey must find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Authentication, Exchange, Suite
from gatepost.errors import PeerClosed, PeerLimited, PeerSilent
from gatepost.wire.lines import TlsFacts, Wire
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls import server_hello as sh
from gatepost.wire.tls.client_hello import ClientHello, read_client_hello
from gatepost.wire.tls.record import Content, Records, render_record

KEYS = {Authentication.RSA: "rsa", Authentication.ECDSA: "ecdsa", Authentication.DSS: "dsa"}
SIGNED = frozenset({Exchange.DHE, Exchange.ECDHE})
FFDHE2048 = bytes([0xFF]) + bytes(254) + b"\x01"  # the size counts here, not the number


def code(name: str) -> int:
    suite = tls.suite(name)
    assert suite is not None, name
    return suite.code


def suites(*patterns: str) -> tuple[int, ...]:
    """Codes of all suites below TLS 1.3 whose name contains one of the words."""
    return tuple(s.code for s in tls.suites() if not s.tls13 and any(p in s.name for p in patterns))


def groups(*names: str) -> tuple[int, ...]:
    return tuple(g.code for name in names if (g := tls.group(name)) is not None)


def schemes(*names: str) -> tuple[int, ...]:
    return tuple(s.code for name in names if (s := tls.scheme(name)) is not None)


GROUPS12 = groups("x25519", "secp256r1", "x448", "secp521r1", "secp384r1")
GROUPS13 = GROUPS12 + tuple(range(0x0100, 0x0105))
SCHEMES = schemes(
    "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384",
    "rsa_pss_rsae_sha512", "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", "rsa_pkcs1_sha224",
)  # fmt: skip


@dataclass
class Server:
    """`suites` by version name, in the server's order; `ordered` when it insists on its own order."""

    suites: dict[str, tuple[int, ...]]
    groups12: tuple[int, ...] = GROUPS12
    groups13: tuple[int, ...] = GROUPS13
    schemes: tuple[int, ...] = SCHEMES
    keys: frozenset[str] = frozenset({"rsa"})
    new_keys: frozenset[str] = frozenset()  # those of `keys` that only TLS 1.2 can use, as Ed25519
    ordered: bool = False
    silent: bool = False  # refuses by hanging up, without an alert
    dhe_broken: bool = False  # picks a finite-field suite, then hangs up
    dh_prime: bytes = FFDHE2048
    limit: int | None = None
    ssl2: tuple[int, ...] | None = None
    extensions: frozenset[int] = frozenset({ext.RENEGOTIATION_INFO, ext.EXTENDED_MASTER_SECRET, ext.SESSION_TICKET})
    compression: bool = False
    wants_sni: bool = False
    fallback: bool = True
    strict_alpn: bool = False
    bears_grease: bool = True
    bears_new_versions: bool = True
    bleeds: bool = False
    caches: bool = True
    obeys_early_change: bool = False
    drops_ssl2: bool = False  # never answers such a hello
    certificate: bytes | None = None
    cut: int = 0
    connections: int = 0
    hellos: list[ClientHello] = field(default_factory=list)
    signed: list[ClientHello] = field(default_factory=list)  # those in TLS 1.3 that it had to sign for

    async def reach(self) -> Wire:
        if self.limit is not None and self.connections >= self.limit:
            raise PeerLimited("421 4.7.0 too many connections")
        self.connections += 1
        return Connection(self)

    def possible(self, version: str, suite: Suite, hello: ClientHello | None = None) -> bool:
        """Whether it would ever pick the suite, for a hello or for the most generous one."""
        if suite.code not in self.suites.get(version, ()) or (hello and suite.code not in hello.suites):
            return False
        key = KEYS.get(suite.authentication)
        if key is not None and (key not in self.keys or (version != "TLSv1.2" and key in self.new_keys)):
            return False
        if suite.exchange is Exchange.ECDHE and not self._curves(hello):
            return False
        return not (key and suite.exchange in SIGNED and version == "TLSv1.2") or bool(self._signing(key, hello))

    def accepted(self, version: str) -> set[str]:
        """The truth: every suite a client could ever get."""
        return {
            s.name
            for s in tls.suites()
            if s.tls13 == (version == "TLSv1.3")
            and (s.code in self.suites.get(version, ()) if s.tls13 else self.possible(version, s))
            and not (self.dhe_broken and s.exchange is Exchange.DHE)
        }

    def answer(self, hello: ClientHello) -> bytes | None:
        """The first flight; b"" to hang up, None to say nothing."""
        self.hellos.append(hello)
        if hello.ssl2:
            return self._ssl2(hello)
        if self.wants_sni and hello.sni is None:
            return self._refuse(112)
        if any(c in tls.GREASE for c in hello.suites) and not self.bears_grease:
            return self._refuse(47)
        if hello.version > 0x0304 and not self.bears_new_versions:
            return self._refuse(70)
        if hello.alpn and self.strict_alpn:
            return self._refuse(120)
        shared = [v for v in hello.versions if tls.version_name(v) in self.suites]
        if not shared:
            return self._refuse(70)
        version = tls.version_name(shared[0])
        highest = max(tls.VERSIONS[v] for v in self.suites)
        if tls.FALLBACK_SCSV in hello.suites and self.fallback and shared[0] < highest:
            return self._refuse(86)
        return self._tls13(hello) if version == "TLSv1.3" else self._classic(hello, version)

    def further(self, data: bytes) -> bytes | None:
        """What comes after the flight: a heartbeat, an early ChangeCipherSpec."""
        records = Records()
        records.feed(data)
        out = b""
        while (record := records.next()) is not None:
            if record.content == Content.HEARTBEAT and self.bleeds:
                out += render_record(Content.HEARTBEAT, record.version, b"\2" + record.data[1:] + bytes(32 + 16))
            if record.content == Content.CHANGE_CIPHER_SPEC:
                if not self.obeys_early_change:
                    return out + sh.render_alert(10)
                if self._changed:
                    return out + sh.render_alert(20)
                self._changed = True
        return out or None

    _changed: bool = False

    def _refuse(self, alert: int) -> bytes:
        return b"" if self.silent else sh.render_alert(alert)

    def _ssl2(self, hello: ClientHello) -> bytes | None:
        if self.drops_ssl2:
            return None
        if self.ssl2 is None:
            return self._refuse(70)
        kinds = tuple(k for k in self.ssl2 if k in hello.suites)
        return sh.render_ssl2_server_hello(sh.Ssl2ServerHello(kinds, b"rsa certificate"))

    def _tls13(self, hello: ClientHello) -> bytes:
        suite = self._pick(self.suites["TLSv1.3"], hello.suites)
        group = self._pick(self.groups13, hello.groups)
        if suite is None or group is None:
            return self._refuse(40)
        retry = sh.hello_retry_request(suite, group, session_id=hello.session_id)
        if group not in hello.shares:
            return sh.render_server_hello(retry)
        self.signed.append(hello)
        if not self.signing13() & {tls.scheme_name(c) for c in hello.signatures}:
            return self._refuse(40)
        return sh.render_server_hello(replace(retry, random=bytes(32)))  # the flight reads no more than the group

    def signing13(self) -> set[str]:
        usable = {"rsa": "rsa_pss_rsae_", "ecdsa": "ecdsa_secp"}
        begins = tuple(word for key, word in usable.items() if key in self.keys)
        return {name for c in self.schemes if begins and (name := tls.scheme_name(c)).startswith(begins)}

    def _classic(self, hello: ClientHello, version: str) -> bytes:
        offered = set(hello.suites)
        rows = (s for c in self.suites[version] if c in offered and (s := tls.suite_coded(c)) is not None)
        chosen = self._pick([s.code for s in rows if self.possible(version, s, hello)], hello.suites)
        suite = tls.suite_coded(chosen) if chosen is not None else None
        if suite is None:
            return self._refuse(40)
        if suite.exchange is Exchange.DHE and self.dhe_broken:
            return b""
        return self._flight(hello, tls.VERSIONS[version], suite)

    def _flight(self, hello: ClientHello, version: int, suite: Suite) -> bytes:
        offered = hello.extensions or ()
        answered = tuple((n, b"\0" if n == ext.RENEGOTIATION_INFO else b"") for n, _ in offered if n in self.extensions)
        if ext.HEARTBEAT in self.extensions and hello.has(ext.HEARTBEAT):
            answered = tuple((n, b"\1" if n == ext.HEARTBEAT else b) for n, b in answered)
        compression = 1 if self.compression and 1 in hello.compressions else 0
        ticket = any(number == ext.SESSION_TICKET for number, _ in answered)
        session = b"" if ticket or not self.caches else b"s" * 32  # as OpenSSL does
        out = sh.render_server_hello(sh.ServerHello(version, suite.code, answered, session, compression))
        key = KEYS.get(suite.authentication)
        if key:
            name = hello.sni or "fallback"
            leaf = self.certificate or f"{key} certificate of {name}".encode()
            out += sh.render_certificate((leaf, b"issuer"), version)
        if suite.exchange in SIGNED:
            out += sh.render_server_key_exchange(self._exchange(hello, version, suite, key), version)
        return out + sh.render_server_hello_done(version)

    def _exchange(self, hello: ClientHello, version: int, suite: Suite, key: str | None) -> sh.Ephemeral:
        hint = b"" if suite.authentication is Authentication.PSK else None
        scheme = None
        if key:
            usable = self._signing(key, hello) if version >= sh.TLS12 else []
            scheme = self._pick(usable, hello.signatures) or 0
        if suite.exchange is Exchange.DHE:
            return sh.Ephemeral(prime=self.dh_prime, generator=b"\2", public=b"y", scheme=scheme, hint=hint)
        return sh.Ephemeral(self._pick(self._curves(hello), hello.groups) or 0, public=b"k", scheme=scheme, hint=hint)

    def _curves(self, hello: ClientHello | None) -> list[int]:
        return [c for c in self.groups12 if hello is None or c in hello.groups]

    def _signing(self, key: str, hello: ClientHello | None) -> list[int]:
        rows = [s for s in tls.schemes() if s.key == key and s.code in self.schemes]
        return [s.code for s in rows if hello is None or s.code in hello.signatures]

    def _pick(self, ours: Sequence[int], theirs: Sequence[int]) -> int | None:
        first, second = (ours, theirs) if self.ordered else (theirs, ours)
        shared = set(second)
        return next((c for c in first if c in shared), None)


@dataclass
class Connection:
    """One connection to the server: a `Wire`."""

    server: Server
    held: bytearray = field(default_factory=bytearray)
    out: bytearray = field(default_factory=bytearray)
    ended: bool = False
    greeted: bool = False

    async def write(self, data: bytes) -> None:
        if self.greeted:
            answer = self.server.further(data)
        else:
            self.held += data
            hello = read_client_hello(bytes(self.held))
            if hello is None:
                return
            self.greeted = True
            answer = self.server.answer(hello)
        self.out += answer or b""
        self.ended = answer is not None and answer[:1] in {b"", b"\x15"}

    async def read(self) -> bytes:
        size = self.server.cut or len(self.out)
        data = bytes(self.out[:size])
        del self.out[:size]
        if data or self.ended:
            return data
        raise PeerSilent("no answer within 10 s")

    async def start_tls(self, name: str | None, *, highest: str = "") -> TlsFacts:
        raise PeerClosed(f"no handshake with {name} {highest}")

    async def renegotiate(self) -> bool:
        return False

    async def close(self) -> None:
        return
