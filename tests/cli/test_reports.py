"""`gatepost reports` as a person runs it: import, list, sources, failures, and what goes wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from lab.reports import DAY, head, mail, record, tls, yesterday
from tests.cli.conftest import Gatepost

FAILURE: dict[str, object] = {
    "result-type": "certificate-expired",
    "receiving-mx-hostname": "mx2.example.org",
    "receiving-ip": "2001:db8::26",
    "failed-session-count": "4",
}


@pytest.fixture(autouse=True)
def _mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mail/cur", "mail/new", "mail/tmp"):
        (tmp_path / name).mkdir(parents=True)
    aggregate = (
        head(yesterday())
        + record("192.0.2.25", 40, dkim="pass", spf="pass", fate="none")
        + record("203.0.113.66", 7, dkim="fail", spf="fail", fate="reject", signer="esp.example", mail="esp.example")
        + "</feedback>"
    )
    Path("mail/new/1").write_bytes(mail(gzip.compress(aggregate.encode()), "r.xml.gz"))
    Path("mail/cur/2:2,S").write_bytes(
        mail(gzip.compress(tls(yesterday() - DAY, [FAILURE])), "r.json.gz", "application/tlsrpt+gzip")
    )


def test_import_then_look(gatepost: Gatepost) -> None:
    first = gatepost("reports", "import", "mail")
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines() == [
        "2 files and mails read: 2 new reports (1 DMARC with 2 records, 1 TLS).",
        "Missing or unusable in the new ones: sending-mta-ip (1).",
    ]
    again = gatepost("reports", "import", "mail")
    assert (again.code, again.out.splitlines()[1]) == (0, "Besides: 2 duplicates dropped.")
    sources = gatepost("reports", "sources", "Example.ORG.")
    assert sources.code == 0
    assert "✖ 203.0.113.66         7     none  -          rejected" in sources.out
    assert "47 messages from 2 sources: 40 aligned (85.1%), 7 not" in sources.out
    failures = gatepost("reports", "failures")
    assert failures.code == 0
    assert "mx2.example.org, IPv6 (2001:db8::26), port 25: certificate-expired; nothing is known here" in failures.out
    listed = gatepost("reports", "list")
    assert "2 reports on your domains" in listed.out


def test_formats_and_files(gatepost: Gatepost) -> None:
    told = json.loads(gatepost("reports", "import", "mail", "--format", "json").out)
    assert (told["new"], told["refused"]) == (2, 0)
    for view, key in (("sources", "sources"), ("failures", "failures"), ("list", "reports")):
        assert len(json.loads(gatepost("reports", view, "--format", "json").out)[key]) >= 1
        assert len(gatepost("reports", view, "--format", "csv").out.splitlines()) >= 2
        assert gatepost("reports", view, "-o", f"{view}.txt").out == ""
        assert Path(f"{view}.txt").read_text(encoding="utf-8")


def test_since_and_state(gatepost: Gatepost) -> None:
    gatepost("reports", "import", "mail", "--state", "kept")
    assert Path("kept/gatepost.db").exists()
    assert not Path(".gatepost").exists()
    later = gatepost("reports", "sources", "--state", "kept", "--since", "2999-01-01")
    assert (later.code, "192.0.2.25" in later.out) == (0, False)


def test_a_refusal_is_one_line_and_exit_1(gatepost: Gatepost) -> None:
    Path("mail/new/3").write_bytes(mail(gzip.compress(b"<feedback>")[:-9], "r\x1b.xml.gz"))
    Path("mail/new/4").write_bytes(b"Subject: lunch\n\nat noon?\n")
    result = gatepost("reports", "import", "mail")
    assert result.code == 1
    assert result.err == "gatepost: mail/new/3: r\\e.xml.gz: its gzip data ends in the middle\n"
    assert "Besides: 1 refused, 1 without a report." in result.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "none"), "none: no such file or directory"),
        (("sources",), "no reports in .gatepost: start with gatepost reports import"),
        (("list", "--since", "yesterday"), "--since: 'yesterday' is not a date like 2026-10-01"),
        (("failures", "example.org"), "no reports in .gatepost"),
        (("import", "mail", "--state", "mail/new/1"), "--state mail/new/1"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(gatepost: Gatepost, words: tuple[str, ...], said: str) -> None:
    result = gatepost("reports", *words)
    assert (result.code, len(result.err.splitlines()), result.out) == (2, 1, "")
    assert said in result.err


def test_a_domain_nobody_reports_on_is_told_with_those_there_are(gatepost: Gatepost) -> None:
    gatepost("reports", "import", "mail")
    result = gatepost("reports", "sources", "exmaple.org")
    assert (result.code, result.err) == (2, "gatepost: no reports on exmaple.org; there are some on example.org\n")
