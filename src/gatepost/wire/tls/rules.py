"""What a profile makes of the registries: which suites and groups belong together into one hello."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from gatepost.catalogue import Profile, tls
from gatepost.catalogue.tls import Authentication, Exchange, Suite, Weakness
from gatepost.model.words import Role
from gatepost.wire.tls.offers import USUAL_GROUPS, all_groups, codes

ALLOWED = frozenset({"required", "recommended", "sufficient"})
FORBIDDEN = frozenset({"insufficient", "phase_out"})
UNUSUAL = frozenset({Exchange.ECCPWD, Exchange.GOST, Exchange.KRB5, Exchange.PSK, Exchange.SRP})
KEYS = {"rsa": Authentication.RSA, "ecdsa": Authentication.ECDSA}
EVERYWHERE = range(0x1301, 0x1306)  # TLS 1.3 suites that common libraries have


def needs_dh(suite: Suite) -> bool:
    """Wants finite-field parameters, which a server may lack: it then picks the suite and hangs up."""
    return suite.exchange is Exchange.DHE


def rows(suites: Iterable[int]) -> list[Suite]:
    """The suites behind codes."""
    return [s for code in suites if (s := tls.suite_coded(code)) is not None]


def dhe_last(suites: Iterable[Suite]) -> tuple[Suite, ...]:
    """A server that follows the client then never meets its missing parameters while something else would do."""
    return tuple(sorted(suites, key=needs_dh))


@cache
def classic() -> tuple[Suite, ...]:
    """Every suite below TLS 1.3, those an ordinary server has first, finite-field ones last."""
    rows = [s for s in tls.suites() if not s.tls13]
    return tuple(sorted(rows, key=lambda s: (needs_dh(s), s.exchange in UNUSUAL, s.broken, not s.aead)))


def legacy(version: str = "TLSv1.1") -> tuple[Suite, ...]:
    """Suites that exist in a version below TLS 1.2."""
    highest = tls.VERSIONS[version]
    return tuple(s for s in classic() if tls.VERSIONS[s.since] <= highest)


def by_certificate(suites: Iterable[Suite], key: Authentication) -> tuple[Suite, ...]:
    """Suites whose answer shows a certificate with such a key; static DH and ECDH suites are signed by another."""
    return tuple(
        s
        for s in suites
        if s.authentication is key and s.exchange not in {Exchange.DH, Exchange.ECDH, Exchange.SRP}
    )  # fmt: skip


_SEVERITY = (
    Weakness.NULL,
    Weakness.ANON,
    Weakness.EXPORT,
    Weakness.RC4,
    Weakness.RC2,
    Weakness.DES,
    Weakness.TRIPLE_DES,
)


@cache
def kind(suite: Suite) -> str:
    """The class a suite is a witness for: its worst weakness, else how it exchanges keys."""
    worst = next((w for w in _SEVERITY if w in suite.weaknesses), None)
    if worst is not None:
        return worst.value
    if suite.authentication is Authentication.PSK or suite.exchange in UNUSUAL:
        return "unusual"
    if suite.exchange is Exchange.ECDHE:
        return "ecdhe" if suite.aead else "ecdhe-cbc"
    return "dhe" if needs_dh(suite) else "static"


def without_kind(suites: Iterable[Suite], witness: Suite) -> tuple[Suite, ...]:
    """What is left to ask after `witness` was accepted: nothing of its class."""
    seen = kind(witness)
    return tuple(s for s in suites if kind(s) != seen)


@dataclass(frozen=True)
class Rules:
    """One profile sorted into what to offer; anonymous suites are no fault on an MX (RFC 7672 section 8.2)."""

    profile: Profile
    role: Role

    @cached_property
    def allowed(self) -> tuple[Suite, ...]:
        """Below TLS 1.3."""
        return tuple(s for s in classic() if not s.broken and self.profile.suite(s.name) in ALLOWED)

    @cached_property
    def forbidden(self) -> tuple[Suite, ...]:
        """Below TLS 1.3, the broken ones first. Where a standard is silent, modern suites are left alone."""
        found = [s for s in classic() if s.broken or self._bad(s)]
        if self.role is Role.MX:
            found = [s for s in found if Weakness.ANON not in s.weaknesses]
        return dhe_last(sorted(found, key=lambda s: not s.broken))

    def _bad(self, suite: Suite) -> bool:
        status = self.profile.suite(suite.name)
        return status in FORBIDDEN or (status not in ALLOWED and not (suite.forward_secret and suite.aead))

    @cached_property
    def weak_curves(self) -> tuple[int, ...]:
        return codes(
            g for g in tls.groups() if g.tls12 and g.kind == "ecdhe" and self.profile.group(g.name) not in ALLOWED
        )  # fmt: skip

    @cached_property
    def weak_schemes(self) -> tuple[int, ...]:
        """SHA-224, which every current library still takes, only where the profile has a word on it.

        It would be picked before SHA-1 and hide it.
        """
        return codes(
            s for s in tls.schemes() if s.weak and (s.hash != "sha224" or self.profile.signature(s.name) in FORBIDDEN)
        )  # fmt: skip

    @cached_property
    def suites13(self) -> tuple[int, ...]:
        """Allowed in TLS 1.3; all usual ones when the profile knows none."""
        rows = [s for s in tls.suites() if s.tls13 and self.profile.suite(s.name) in ALLOWED]
        return codes(rows) or tuple(EVERYWHERE)

    @cached_property
    def forbidden13(self) -> tuple[int, ...]:
        """Empty when the profile forbids nothing that a common library has."""
        rest = [s.code for s in tls.suites() if s.tls13 and s.code not in self.suites13]
        return tuple(rest) if any(code in EVERYWHERE for code in rest) else ()

    @cached_property
    def banned13(self) -> bool:
        """Whether a suite that common libraries have is forbidden outright, not only to be phased out."""
        return any(
            c in EVERYWHERE and self.profile.suite(tls.suite_name(c)) == "insufficient" for c in self.forbidden13
        )  # fmt: skip

    @cached_property
    def groups13(self) -> tuple[int, ...]:
        """Hybrids first, whatever the profile says of them: their presence is a control of its own."""
        return tuple(c for c in all_groups(tls13=True) if self._hybrid(c) or self._group_allowed(c))

    @cached_property
    def hybrids(self) -> tuple[int, ...]:
        """And the pure post-quantum groups behind them, as far as the profile does not allow those."""
        pure = [g.code for g in tls.groups() if g.kind == "pq"]
        return tuple(c for c in all_groups(tls13=True) if self._hybrid(c)) + tuple(pure)

    @cached_property
    def forbidden_groups13(self) -> tuple[int, ...]:
        """Empty when the profile forbids nothing that a common library has."""
        rest = [c for c in all_groups(tls13=True) if c not in self.groups13]
        usual = [c for c in rest if tls.group_name(c) in USUAL_GROUPS or tls.group_name(c).startswith("ffdhe")]
        return tuple(rest) if usual else ()

    def _group_allowed(self, code: int) -> bool:
        return self.profile.group(tls.group_name(code)) in ALLOWED

    @staticmethod
    def _hybrid(code: int) -> bool:
        group = tls.group(tls.group_name(code))
        return group is not None and group.kind == "hybrid-pq"
