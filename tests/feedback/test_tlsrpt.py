"""TLS reports in the shapes senders give them; what makes no sense is counted or refused in a sentence."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.feedback.contents import NoReport, ReportRefused, TlsReport
from gatepost.feedback.tlsrpt import tls_reports
from tests.feedback.documents import BEGIN, END, NOW, TLS, tls


def read(data: bytes, hint: str = "") -> TlsReport:
    (report,) = tls_reports([data], NOW, hint)
    return report


def policy(**changes: object) -> dict[str, object]:
    whole = json.loads(json.dumps(TLS))["policies"][0] | changes
    return dict(whole)


def test_the_report_of_rfc_8460() -> None:
    report = read(tls())
    assert (report.reporter, report.report_id) == ("Company-X", "5065427c-23d3-47ca-b6e0-946ea0e8c4be")
    assert (report.period.first, report.period.last, report.lost) == (date(2026, 11, 1), date(2026, 11, 1), {})
    (one,) = report.policies
    assert (one.type, one.domain, one.mx, one.successes, one.failures) == (
        "sts", "example.org", ("*.mail.example.org",), 5326, 303,
    )  # fmt: skip
    assert one.text == ("version: STSv1", "mode: testing", "mx: *.mail.example.org", "max_age: 86400")
    assert [(f.type, f.sessions, f.mx, f.address) for f in one.details] == [
        ("certificate-expired", 100, "mx1.mail.example.org", ""),
        ("starttls-not-supported", 200, "mx2.mail.example.org", "203.0.113.56"),
        ("validation-failure", 3, "mx-backup.mail.example.org", "203.0.113.58"),
    ]
    assert one.details[0].sender == "2001:db8:abcd:12::1"
    assert one.details[2].code == "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"


DETAIL = {"result-type": "tlsa-invalid", "receiving-mx-hostname": "mx1.example.org", "failed-session-count": 2}
SUMMARY = {"total-successful-session-count": 5, "total-failure-session-count": 2}
BARE = {"policy-type": "tlsa", "policy-domain": "example.org"}
# Shape, then (policies, successes, failures, failures with details) and what is counted as lost.
SHAPES: dict[str, tuple[bytes, tuple[int, int, int, int], dict[str, int]]] = {
    "numbers as text": (
        tls(policies=[policy(summary={"total-successful-session-count": "5", "total-failure-session-count": "303"})]),
        (1, 5, 303, 3), {},
    ),
    "count of a failure as text": (
        tls(policies=[policy(summary=SUMMARY, **{"failure-details": [DETAIL | {"failed-session-count": "2"}]})]),
        (1, 5, 2, 1), {"sending-mta-ip": 1},
    ),
    "no sending-mta-ip": (
        tls(policies=[policy(summary=SUMMARY, **{"failure-details": [DETAIL]})]), (1, 5, 2, 1), {"sending-mta-ip": 1},
    ),
    "policies null": (tls(policies=None), (0, 0, 0, 0), {"policies": 1}),
    "policies empty": (tls(policies=[]), (0, 0, 0, 0), {"policies": 1}),
    "no policies": (
        json.dumps({k: v for k, v in TLS.items() if k != "policies"}).encode(), (0, 0, 0, 0), {"policies": 1},
    ),
    "one policy without a list": (tls(policies=policy()), (1, 5326, 303, 3), {}),
    "failure-details missing": (tls(policies=[{"policy": BARE, "summary": SUMMARY}]), (1, 5, 2, 0), {}),
    "failure-details null": (
        tls(policies=[{"policy": BARE, "summary": SUMMARY, "failure-details": None}]), (1, 5, 2, 0), {},
    ),
    "one failure without a list": (
        tls(policies=[{"policy": BARE, "summary": SUMMARY, "failure-details": DETAIL}]), (1, 5, 2, 1),
        {"sending-mta-ip": 1},
    ),
    "policy-string as text": (
        tls(policies=[{"policy": BARE | {"policy-string": "version: STSv1\r\nmode: none"}, "summary": SUMMARY}]),
        (1, 5, 2, 0), {},
    ),
    "policy-string null, mx-host null": (
        tls(policies=[{"policy": BARE | {"policy-string": None, "mx-host": None}, "summary": SUMMARY}]),
        (1, 5, 2, 0), {},
    ),
    "mx-host as text": (
        tls(policies=[{"policy": BARE | {"mx-host": "mx.example.org"}, "summary": SUMMARY}]), (1, 5, 2, 0), {},
    ),
    "policy as a list": (tls(policies=[{"policy": [BARE], "summary": [SUMMARY]}]), (1, 5, 2, 0), {}),
    "no summary": (
        tls(policies=[{"policy": BARE, "failure-details": [DETAIL]}]), (1, 0, 2, 1),
        {"sending-mta-ip": 1, "total-failure-session-count": 1, "total-successful-session-count": 1},
    ),
    "summary smaller than its details": (
        tls(policies=[{"policy": BARE, "summary": SUMMARY | {"total-failure-session-count": 0},
                       "failure-details": [DETAIL]}]), (1, 5, 2, 1), {"sending-mta-ip": 1},
    ),
    "underscores and capitals": (
        json.dumps(TLS).replace("organization-name", "organization_name").replace("policies", "Policies")
        .replace("failed-session-count", "Failed_Session_Count").encode(), (1, 5326, 303, 3), {},
    ),
    "negative and enormous counts": (
        tls(policies=[{"policy": BARE, "summary": SUMMARY, "failure-details": [
            DETAIL | {"failed-session-count": -4}, DETAIL | {"failed-session-count": 10**30}]}]), (1, 5, 2, 0),
        {"failure left out for its failed-session-count": 2},
    ),
    "no policy-domain": (
        tls(policies=[{"policy": {"policy-type": "sts"}, "summary": SUMMARY}]), (0, 0, 0, 0),
        {"policies": 1, "policy left out for its policy-domain": 1},
    ),
    "a failure that is no object": (
        tls(policies=[{"policy": BARE, "summary": SUMMARY, "failure-details": ["boom", 7]}]), (1, 5, 2, 0),
        {"failure left out for its failed-session-count": 2},
    ),
    "in a list": (b"[" + tls() + b"]", (1, 5326, 303, 3), {}),
    "with a mark": (b"\xef\xbb\xbf" + tls(), (1, 5326, 303, 3), {}),
    "UTF-16": (tls().decode().encode("utf-16"), (1, 5326, 303, 3), {}),
    "blanks around": (b"\n \n" + tls() + b"\n\n", (1, 5326, 303, 3), {}),
    "lone surrogates": (
        tls(**{"organization-name": "x\ud800y", "report-id": "\udfff1"}), (1, 5326, 303, 3), {},
    ),
    "seconds for dates": (
        tls(**{"date-range": {"start-datetime": BEGIN, "end-datetime": END}}), (1, 5326, 303, 3), {},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "counts", "lost"), SHAPES.values(), ids=SHAPES)
def test_shapes(data: bytes, counts: tuple[int, int, int, int], lost: dict[str, int]) -> None:
    report = read(data)
    found = report.policies
    assert (
        len(found), sum(p.successes for p in found), sum(p.failures for p in found), sum(len(p.details) for p in found),
    ) == counts  # fmt: skip
    assert report.lost == lost
    repr(report).encode()


def test_a_nameless_sender_is_known_by_its_contact_or_file() -> None:
    nameless = {"organization-name": None}
    assert read(tls(**nameless)).reporter == "company-x.example"
    bare = tls(**nameless, **{"contact-info": None})
    assert read(bare, f"in/mail.sender.example!example.org!{BEGIN}!{END}.json").reporter == "mail.sender.example"
    assert read(bare).lost == {"organization-name": 1}


def test_several_reports_in_a_list() -> None:
    assert len(tls_reports([b"[" + tls() + b",", tls() + b"]"], NOW)) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty or ends in the middle"),
        (b"   ", "empty or ends in the middle"),
        (tls()[:-40], "ends in the middle"),
        (tls().replace(b":", b";", 1), "broken at line 1"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" + b"{}," * 700_000 + b"{}]", "more than 1,000,000 values"),
        (tls()[:-1] + b', "x": NaN}', "a number that is none"),
        (tls()[:-1] + b', "x": ' + b"9" * 5000 + b"}", "a number that is none"),
        (tls()[:-1] + b', "x": "\xff"}', "no character set"),
        (tls(**{"date-range": None}), "does not say when it begins"),
        (tls(**{"date-range": {"start-datetime": "9999-12-31T00:00:00Z", "end-datetime": "9999-12-31T23:59:59Z"}}),
         "no report can know"),
    ],
)  # fmt: skip
def test_what_is_hostile_or_broken_is_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(ReportRefused, match=said) as why:
        tls_reports([data], NOW)
    assert len(str(why.value)) < 200


@pytest.mark.parametrize("data", [b"{}", b"[]", b"[1]", b"null", b'"policies"', b'{"version": 1}'])
def test_other_json_is_told_from_a_broken_report(data: bytes) -> None:
    with pytest.raises(NoReport):
        tls_reports([data], NOW)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    assert _outcome(data)


@settings(deadline=None)
@given(st.sampled_from(sorted(TLS)), plain)
def test_anything_in_the_place_of_a_member(key: str, value: object) -> None:
    assert _outcome(tls(**{key: value}))


@settings(deadline=None)
@given(st.sampled_from(["policy", "summary", "failure-details"]), plain)
def test_anything_in_the_place_of_a_part_of_a_policy(key: str, value: object) -> None:
    assert _outcome(tls(policies=[policy(**{key: value})]))


@settings(deadline=None)
@given(st.sampled_from(sorted(DETAIL)), plain)
def test_anything_in_the_place_of_a_detail(key: str, value: object) -> None:
    assert _outcome(tls(policies=[policy(**{"failure-details": [DETAIL | {key: value}]})]))


def _outcome(data: bytes) -> str:
    try:
        said = repr(tls_reports([data], NOW))
    except ReportRefused as why:
        said = str(why)
    said.encode()
    return said
