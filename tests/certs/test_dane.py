"""TLSA records against chains: what matches, what does not and why, and where a change of key stands."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.certs import tlsa_choice
from gatepost.certs.dane import Match, Rollover, Standing, match, rollover
from gatepost.model.association import fault
from gatepost.model.dns import Tlsa
from gatepost.model.words import Role
from tests.authority import HOST, NOW
from tests.certs import dane_cases as cases
from tests.certs.dane_cases import CHAINS, NAMES, OTHER_ROOT, ROWS, WRONG, F, Row, chain, facts, leaf, of

R_311 = leaf("usual", "3 1 1")


def judge(chained: str, *records: Tlsa, role: Role = Role.MX, names: tuple[str, ...] = NAMES) -> Match:
    return match(records, chain(chained), NOW, names, role=role)


def only_why(chained: str, record: Tlsa, role: Role = Role.MX) -> str:
    return judge(chained, record, role=role).judged[0].why


def test_there_are_enough_rows_and_their_names_differ() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS) >= 32


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row) -> None:
    role = Role.SUBMISSION if row.pkix else Role.MX
    trust = cases.trust(row.chain) if row.pkix else None
    found = match(row.records, chain(row.chain), NOW, NAMES, role=role, trust=trust)
    assert " ".join(one.standing.value for one in found.judged) == row.wanted, [one.why for one in found.judged]
    assert found.agrees == ("matched" in row.wanted.split())
    assert all(one.why for one in found.judged)


@pytest.mark.parametrize(
    ("chained", "record", "words"),
    [
        ("usual", R_311, "is the key served"),
        ("usual", leaf("usual", "3 0 1"), "is the certificate served"),
        ("usual", WRONG, f"CN={HOST} is served, of which it would be "),
        (
            "usual",
            of(F.middle, "3 1 1"),
            "is of CN=Test Intermediate, which is not the server's certificate",
        ),
        ("usual", of(F.leaf, "2 1 1"), "is of the server's own certificate, which usage 3 is for"),
        ("usual", of(F.middle, "2 1 1"), "is the key of CN=Test Intermediate, which issued what is served"),
        (
            "usual",
            of(F.root, "2 1 0"),
            "is the key of the issuer of CN=Test Intermediate, which issued what is served",
        ),
        ("expired", of(F.middle, "2 1 1"), f"CN={HOST} expired on 2026-11-23"),
        ("old-middle", of(F.root, "2 0 1"), "CN=Old Intermediate expired on 2026-11-21"),
        ("not-yet", of(F.middle, "2 1 1"), f"CN={HOST} is not valid before 2026-11-26"),
        ("other-name", of(F.middle, "2 1 1"), f"the certificate does not stand for {HOST}"),
        ("for-clients", of(F.middle, "2 1 1"), f"CN={HOST} is not for servers, only for clientAuth"),
        ("usual", Tlsa(2, 0, 0, "3000"), "2 0 0: a certificate that cannot be read"),
        ("usual", Tlsa(2, 1, 0, "3000"), "2 1 0: its data is no public key"),
        ("usual", Tlsa(3, 1, 1, "00"), "3 1 1: 1 octets of data, SHA2-256 has 32"),
        (
            "usual",
            of(F.leaf, "1 1 1"),
            "1 1 1: usages 0 and 1 cannot be used between mail servers (RFC 7672 section 3.1.3)",
        ),
    ],
)
def test_the_reason_is_told(chained: str, record: Tlsa, words: str) -> None:
    assert only_why(chained, record).startswith(words)


def test_what_it_should_have_been_is_told() -> None:
    """Apart from the rows, whose names must be the same for every worker: keys are new each time."""
    assert only_why("usual", WRONG).endswith(f" {R_311.data[:16]}…")


def test_an_authority_that_issued_nothing_here_is_named() -> None:
    assert only_why("with-stranger", of(OTHER_ROOT, "2 0 1")).startswith("does not lead to CN=Other Root: ")


def test_usages_0_and_1_between_servers_authenticate_nothing() -> None:
    found = judge("usual", of(F.leaf, "1 1 1"), of(F.middle, "0 0 1"))
    assert found.usable == ()
    assert found.agrees is None


def test_without_a_verdict_on_trust_nothing_is_claimed() -> None:
    found = judge("usual", of(F.leaf, "1 1 1"), of(F.middle, "0 0 1"), role=Role.ACCESS)
    assert [one.standing for one in found.judged] == [Standing.UNKNOWN, Standing.UNKNOWN]
    assert found.agrees is None


def test_a_root_that_was_not_sent() -> None:
    record = of(F.root, "0 1 1")
    asked = {"now": NOW, "names": NAMES, "role": Role.ACCESS, "trust": cases.trust("usual")}
    unseen = match([record], chain("usual"), **asked)  # type: ignore[arg-type]  # one dict for both calls
    assert unseen.judged[0].standing is Standing.UNKNOWN
    seen = match([record], chain("usual"), authorities=(facts(F.root),), **asked)  # type: ignore[arg-type]  # as above
    assert seen.judged[0].standing is Standing.MATCHED


def test_any_of_the_names_will_do() -> None:
    record = of(F.middle, "2 1 1")
    assert judge("other-name", record, names=(HOST, "imap.example.org")).agrees
    assert judge("other-name", record, names=()).agrees is False


def test_nothing_served() -> None:
    found = match([R_311], (), NOW, NAMES, role=Role.MX)
    assert found.judged[0].standing is Standing.UNKNOWN
    assert found.agrees is None
    assert rollover([found]).uncovered == ()


def test_no_records() -> None:
    found = match([], chain("usual"), NOW, NAMES, role=Role.MX)
    assert found.agrees is None
    assert rollover([found]).state is Rollover.NONE


R_RSA, R_EXPIRED = leaf("rsa", "3 1 1"), leaf("expired", "3 1 1")


@pytest.mark.parametrize(
    ("served", "records", "state", "uncovered"),
    [
        (("usual",), (R_311,), Rollover.CURRENT, ()),
        (("usual",), (R_311, leaf("usual", "3 0 1")), Rollover.CURRENT, ()),
        (("usual",), (R_311, WRONG), Rollover.BOTH, ()),
        (("usual",), (WRONG,), Rollover.NEXT, ("usual",)),
        (("usual",), (), Rollover.NONE, ()),
        (("usual",), (Tlsa(9, 1, 1, "00"),), Rollover.NONE, ()),
        (("usual",), (of(F.leaf, "1 1 1"),), Rollover.NONE, ()),
        (("usual", "rsa"), (R_311, R_RSA), Rollover.CURRENT, ()),
        (("usual", "rsa"), (R_311,), Rollover.NEXT, ("rsa",)),
        (("usual", "rsa"), (R_311, R_RSA, WRONG), Rollover.BOTH, ()),
        (("usual", "usual"), (R_311,), Rollover.CURRENT, ()),
        (("expired",), (of(F.middle, "2 1 1"),), Rollover.CURRENT, ()),
        (("usual",), (of(F.middle, "2 1 1"), WRONG), Rollover.BOTH, ()),
        (("usual",), (leaf("usual", "3 1 2"), WRONG), Rollover.CURRENT, ()),
        ((), (R_311,), Rollover.NONE, ()),
    ],
)
def test_rollover(
    served: tuple[str, ...], records: tuple[Tlsa, ...], state: Rollover, uncovered: tuple[str, ...]
) -> None:
    found = rollover(judge(one, *records) for one in served)
    assert found.state is state
    assert found.uncovered == tuple(chain(one)[0].sha256 for one in uncovered)


def test_rollover_tells_the_records_apart() -> None:
    found = rollover([judge("usual", R_311, WRONG)])
    assert (found.served, found.waiting) == ((R_311,), (WRONG,))


def test_record_for_a_key() -> None:
    assert tlsa_choice.for_key(facts(F.leaf).spki_sha256.upper()) == R_311
    with pytest.raises(ValueError, match="no SHA-256 digest"):
        tlsa_choice.for_key("abc")
    with pytest.raises(ValueError, match="usage 7 is not known"):
        tlsa_choice.of(facts(F.leaf), 7, 1, 1)


@pytest.mark.parametrize(
    ("forms", "best"),
    [
        (("2 0 1", "3 1 1", "3 1 2"), "3 1 1"),
        (("2 1 1", "2 0 1"), "2 0 1"),
        (("3 0 1", "2 1 1"), "2 1 1"),
        (("3 1 0", "3 1 2"), "3 1 0"),
        (("0 0 1", "1 1 1"), "1 1 1"),
    ],
)
def test_the_preferred_record(forms: tuple[str, ...], best: str) -> None:
    assert tlsa_choice.preferred(of(F.leaf, form) for form in forms) == of(F.leaf, best)


def test_nothing_to_prefer() -> None:
    assert tlsa_choice.preferred([Tlsa(3, 1, 1, "00"), Tlsa(3, 2, 1, "00" * 32)]) is None


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("3 1 1", ""),
        ("3 0 1", "changes with every renewal"),
        ("3 1 2", "need not know SHA-512"),
        ("3 1 0", "as a whole"),
        ("2 0 1", "only while the authority is sent"),
        ("1 1 1", "of no use to SMTP"),
    ],
)
def test_advice(form: str, words: str) -> None:
    said = tlsa_choice.advice(of(F.leaf, form))
    assert words in said if words else said == ""


def test_no_advice_for_a_useless_one() -> None:
    assert tlsa_choice.advice(Tlsa(3, 1, 1, "")) == ""


GENUINE = st.sampled_from([record for row in ROWS for record in row.records])
ANY = st.builds(
    Tlsa,
    st.integers(0, 255) | st.integers(0, 3),
    st.integers(0, 2),
    st.integers(0, 3),
    st.binary(max_size=70).map(bytes.hex) | st.sampled_from([R_311.data, WRONG.data]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(GENUINE | ANY, max_size=6), st.sampled_from(sorted(CHAINS)), st.sampled_from([Role.MX, Role.ACCESS]))
def test_any_records(records: list[Tlsa], chained: str, role: Role) -> None:
    """Each distinct record is judged once; useless ones never matter; one match decides."""
    found = judge(chained, *records, role=role)
    assert [one.record for one in found.judged] == list(dict.fromkeys(records))
    assert all(one.standing is Standing.UNUSABLE for one in found.judged if fault(one.record))
    assert (found.agrees is True) == bool(found.matched)
    assert set(found.matched) <= set(found.usable)
    state = rollover([found]).state
    assert (state is Rollover.NONE) == (not found.usable)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(CHAINS)), st.integers(0, 1), st.integers(0, 2))
def test_what_is_made_for_a_certificate_matches_it(chained: str, selector: int, matching: int) -> None:
    record = tlsa_choice.of(chain(chained)[0], 3, selector, matching)
    assert judge(chained, record).matched == (record,)


WHOLE = [of(F.root, "2 0 0"), of(F.root, "2 1 0"), of(F.middle, "2 0 0"), of(CHAINS["rsa"][1], "2 1 0")]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=3),
    st.sampled_from(["usual", "rsa"]),
)
def test_a_spoilt_certificate_or_key_in_dns(record: Tlsa, changes: list[tuple[int, int]], chained: str) -> None:
    """It may not crash, and can match only where the change leaves the key as it was."""
    data = bytearray.fromhex(record.data)
    for at, value in changes:
        data[at % len(data)] = value
    spoilt = Tlsa(record.usage, record.selector, 0, bytes(data).hex())
    found = judge(chained, spoilt)
    assert found.judged[0].why
    if record.selector and found.matched:
        assert _numbers(spoilt) == _numbers(record)


def _numbers(record: Tlsa) -> object:
    key = load_der_public_key(bytes.fromhex(record.data))
    assert isinstance(key, RSAPublicKey | EllipticCurvePublicKey)
    return key.public_numbers()
