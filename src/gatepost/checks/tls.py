"""Versions, suites, groups and signatures (GP-TLS-001 to 009): what the port can be talked into."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Exchange, Suite, Weakness
from gatepost.checks.case import Case, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import some, words
from gatepost.checks.grading import FAULTY, by_profile, on_mx
from gatepost.checks.tls_seen import (
    AGAIN,
    BROKEN,
    OLD,
    UNCLEAR,
    Choice,
    answered_no,
    asked,
    choices,
    tolerated_anonymous,
    turned_down,
    versions,
    versions_refused,
    whole_list,
)
from gatepost.model.finding import Verdict
from gatepost.model.observation import Hello, Observation, Unobserved, of
from gatepost.model.words import Role, Severity

USERS = (Role.ACCESS, Role.SIEVE, Role.SUBMISSION)
STATIC = {
    Exchange.DH: "static DH",
    Exchange.DHE: "finite-field DHE",
    Exchange.ECDH: "static ECDH",
    Exchange.KRB5: "Kerberos",
    Exchange.PSK: "plain PSK",
    Exchange.RSA: "RSA key transport",
}
WEAK = {
    Weakness.ANON: "anonymous",
    Weakness.DES: "DES",
    Weakness.EXPORT: "export",
    Weakness.NULL: "NULL",
    Weakness.RC2: "RC2",
    Weakness.RC4: "RC4",
    Weakness.TRIPLE_DES: "3DES",
}
SOFTER_ON_MX = frozenset({Weakness.RC4, Weakness.TRIPLE_DES})  # weak, and still better than clear text
WEAK_HASHES = frozenset({"md5", "sha1"})


@check("GP-TLS-001")
def ssl_refused(case: Case) -> Verdict:
    """SSL 2.0 and SSL 3.0 are refused."""
    return _refused(case, BROKEN)


@check("GP-TLS-002", roles=USERS)
def old_tls_refused(case: Case) -> Verdict:
    """TLS 1.0 and 1.1 are refused."""
    return _refused(case, OLD)


@check("GP-TLS-003", roles=(Role.MX,))
def old_tls_refused_by_the_mx(case: Case) -> Verdict:
    """TLS 1.0 and 1.1 are refused on port 25."""
    return _refused(case, OLD)


def _refused(case: Case, unwanted: frozenset[str]) -> Verdict:
    accepted = versions(case.seen, case.at)
    if found := sorted(unwanted & accepted.keys()):
        return failed(f"accepts {words(found)}", *(accepted[name] for name in found))
    refused = versions_refused(case.seen, case.at)
    if left := sorted(unwanted - refused.keys()):
        lost = case.missing("tls:ssl2", "tls:tls1.1-and-below", "tls:ssl3", "tls")
        return lost if lost.evidence or not refused else unknown(f"{words(left)}: no clear answer")
    return passed(*dict.fromkeys(refused[name] for name in sorted(unwanted)))


@check("GP-TLS-004")
def tls13_offered(case: Case) -> Verdict:
    """TLS 1.3 is offered."""
    accepted = versions(case.seen, case.at)
    if "TLSv1.3" in accepted:
        return passed(accepted["TLSv1.3"])
    refusal = versions_refused(case.seen, case.at).get("TLSv1.3")
    if refusal and accepted:
        return failed(f"no TLS 1.3; highest is {list(accepted)[-1]}", refusal, severity=on_mx(case, Severity.LOW))
    return case.missing("tls:tls1.3", "tls")


@check("GP-TLS-005")
def forward_secret(case: Case) -> Verdict:
    """TLS 1.2 is forward secret: no RSA key transport, no finite-field or static Diffie-Hellman."""

    def complaint(kind: Suite) -> str:
        return STATIC.get(kind.exchange, "")

    return _suites(case, complaint, "negotiates {} in TLS 1.2")


@check("GP-TLS-005")
def authenticated_encryption(case: Case) -> Verdict:
    """TLS 1.2 encrypts with authentication (AEAD), without CBC."""

    def complaint(kind: Suite) -> str:
        return "" if kind.aead or kind.exchange in STATIC else "CBC suites"

    return _suites(case, complaint, "negotiates {} in TLS 1.2")


@check("GP-TLS-005")
def suites_of_the_profile(case: Case) -> Verdict:
    """Every other suite of TLS 1.2 and 1.3 is one the profile knows."""

    def complaint(kind: Suite) -> str:
        return kind.name if kind.tls13 or (kind.aead and kind.exchange not in STATIC) else ""

    return _suites(case, complaint, "negotiates {}", versions_=("TLSv1.2", "TLSv1.3"))


def _suites(
    case: Case, complaint: Callable[[Suite], str], sentence: str, versions_: tuple[str, ...] = ("TLSv1.2",)
) -> Verdict:
    """Suites that the profile does not want; those broken whatever it says belong to GP-TLS-006."""
    picked = [c for c in choices(case.seen, case.at) if c.suite and c.version in versions_]
    faults = [(c, k) for c in picked if (k := c.kind) and not k.broken and complaint(k)]
    faults = [(c, k) for c, k in faults if case.profile.suite(k.name) in FAULTY]
    if faults:
        status = _worst(case.profile.suite(k.name) for _, k in faults)
        because = sentence.format(words(complaint(k) for _, k in faults))
        note = f"{because} ({_said(status)} by {case.profile.name})"
        return failed(note, *_evidence(c for c, _ in faults), severity=by_profile(case, status))
    return _when_finished(case)


def _when_finished(case: Case) -> Verdict:
    """Absence passes only when all of it was offered, and the rest in the end turned down."""
    if not versions(case.seen, case.at):
        return case.missing("tls")
    if listed := whole_list(case, "suites", "TLSv1.2"):
        return passed(listed)
    if refusal := answered_no(case, "forbidden"):
        return passed(refusal)
    return case.missing("tls:forbidden", "tls")


@check("GP-TLS-006")
def no_broken_suite(case: Case) -> Verdict:
    """NULL, anonymous, export, RC4, DES and 3DES suites are refused."""
    picked = [c for c in choices(case.seen, case.at) if c.suite and c.version != "SSLv2"]
    broken = [(c, k) for c in picked if (k := c.kind) and k.broken and not tolerated_anonymous(case, c)]
    if not broken:
        return _when_finished(case)
    kinds = {w for _, k in broken for w in k.weaknesses}
    because = f"accepts {words(WEAK[w] for w in kinds)} suites ({some({k.name for _, k in broken})})"
    soft = Severity.MEDIUM if kinds <= SOFTER_ON_MX else Severity.HIGH
    return failed(because, *_evidence(c for c, _ in broken), severity=on_mx(case, soft))


@check("GP-TLS-007")
def groups_of_the_profile(case: Case) -> Verdict:
    """Key-exchange groups come from the chosen profile."""
    picked = [c for c in choices(case.seen, case.at) if c.group and not tolerated_anonymous(case, c)]
    faults = [c for c in picked if case.profile.group(c.group) in FAULTY and not _hybrid(c.group)]
    if faults:
        status = _worst(case.profile.group(c.group) for c in faults)
        because = f"agrees on {words(c.group for c in faults)} ({_said(status)} by {case.profile.name})"
        return failed(because, *_evidence(faults), severity=by_profile(case, status))
    accepted = versions(case.seen, case.at)
    if not picked or not accepted:
        return case.missing("tls:allowed", "tls")
    refusals = [answered_no(case, "weak-groups") or whole_list(case, "groups", "TLSv1.2")]
    if "TLSv1.2" in accepted and not all(refusals):
        return case.missing("tls:weak-groups", "tls:groups", "tls")
    if asked(case, "tls1.3-forbidden-groups") and "TLSv1.3" in accepted:
        refusals.append(answered_no(case, "tls1.3-forbidden-groups") or whole_list(case, "groups", "TLSv1.3"))
    elif lost := [u for u in of(Unobserved, case.seen, case.at) if u.wanted == "tls:tls1.3-forbidden-groups"]:
        return unknown(f"{lost[0].reason.value}: {lost[0].detail}", *lost)
    return passed(picked[0].seen, *(r for r in refusals if r))


def _hybrid(name: str) -> bool:
    """Newer than most profiles: having one is a control of its own, and no fault against another."""
    group = tls.group(name)
    return group is not None and group.kind in {"hybrid-pq", "pq"}


@check("GP-TLS-007")
def finite_field_strong(case: Case) -> Verdict:
    """Diffie-Hellman groups are large enough, and public ones."""
    picked = [c for c in choices(case.seen, case.at) if c.dh_bits and not tolerated_anonymous(case, c)]
    floor = int(case.profile.key("dh").get("min") or 2048)
    if small := [c for c in picked if c.dh_bits < floor]:
        sizes = words(str(c.dh_bits) for c in small)
        soft = Severity.MEDIUM if min(c.dh_bits for c in small) < 1024 else Severity.LOW
        severity = Severity.HIGH if min(c.dh_bits for c in small) < 1024 else None
        because = f"Diffie-Hellman with {sizes} bits; {case.profile.name} asks for {floor}"
        return failed(because, *_evidence(small), severity=on_mx(case, soft) or severity)
    if case.profile.key("dh").get("only_named_groups") and (made := [c for c in picked if c.dh_prime == "unknown"]):
        return failed(f"a Diffie-Hellman group of its own making ({made[0].dh_bits} bits)", *_evidence(made))
    if picked:
        return passed(*_evidence(picked))
    behind = asked(case, "forbidden-dhe")
    if closes := [h for h in behind if h.refused in UNCLEAR]:
        return unknown("hangs up where it would use Diffie-Hellman: no parameters (Dovecot: ssl_dh)", *closes)
    if skipped := [h for h in behind if not h.refused]:
        return passed(*skipped)
    if refusal := next((h for h in asked(case, "forbidden") if _without_parameters(h, case)), None):
        return passed(refusal)
    return case.missing("tls:forbidden", "tls")


def _without_parameters(hello: Hello, case: Case) -> bool:
    """Turned down with finite-field suites among what was offered."""
    return turned_down(hello, case.seen) and not hello.offer.endswith(AGAIN)


@check("GP-TLS-008")
def hybrid_group_offered(case: Case) -> Verdict:
    """A hybrid post-quantum group is offered."""
    picked = choices(case.seen, case.at)
    if hybrid := [c for c in picked if _hybrid(c.group)]:
        return passed(hybrid[0].seen)
    if "TLSv1.3" not in versions(case.seen, case.at):
        refusal = versions_refused(case.seen, case.at).get("TLSv1.3")
        return not_applicable("needs TLS 1.3", refusal) if refusal else case.missing("tls:tls1.3", "tls")
    if listed := whole_list(case, "groups", "TLSv1.3"):
        return failed("no hybrid post-quantum group in TLS 1.3", listed)
    refusal = answered_no(case, "tls1.3-hybrid")
    if refusal is None:
        return case.missing("tls:tls1.3", "tls")
    return failed("no hybrid post-quantum group in TLS 1.3", refusal)


@check("GP-TLS-009")
def handshake_signatures_strong(case: Case) -> Verdict:
    """Handshakes are signed with SHA-256 or stronger."""
    picked = [c for c in choices(case.seen, case.at) if c.signature and c.version in {"TLSv1.2", "TLSv1.3"}]
    if faults := [c for c in picked if _weak_signature(case, c.signature)]:
        because = f"signs handshakes with {words(c.signature for c in faults)}"
        mild = all(case.profile.signature(c.signature) == "phase_out" for c in faults)
        severity = Severity.LOW if mild else on_mx(case, Severity.LOW)
        return failed(because, *_evidence(faults), severity=severity)
    refusal = answered_no(case, "weak-signatures") or whole_list(case, "signatures", "TLSv1.2")
    if refusal:
        return passed(refusal)
    accepted = versions(case.seen, case.at)
    if tuple(accepted) == ("TLSv1.3",) and "TLSv1.1" in versions_refused(case.seen, case.at):
        return not_applicable("TLS 1.3 has no weak ones", accepted["TLSv1.3"])
    return case.missing("tls:weak-signatures", "tls:signatures", "tls")


def _weak_signature(case: Case, name: str) -> bool:
    scheme = tls.scheme(name)
    graded = case.profile.signature(name) in {"insufficient", "phase_out"}
    return graded or (scheme is not None and scheme.hash in WEAK_HASHES)


def _worst(statuses: Iterable[str]) -> str:
    order = ("insufficient", "phase_out", "not_listed")
    return min(statuses, key=order.index)


def _said(status: str) -> str:
    return {"insufficient": "forbidden", "phase_out": "being phased out", "not_listed": "not listed"}[status]


def _evidence(picked: Iterable[Choice]) -> tuple[Observation, ...]:
    return tuple(dict.fromkeys(c.seen for c in picked))
