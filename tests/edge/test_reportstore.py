"""What was imported and what it says; duplicates, alignment, causes; a kill at any moment loses and doubles nothing."""

from __future__ import annotations

import gzip
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gatepost.edge import reportstore
from gatepost.edge.intake import take_in
from gatepost.edge.mailbox import letters
from gatepost.edge.store import SCHEMA
from gatepost.errors import UsageError
from gatepost.feedback.contents import Reporter, Taken
from gatepost.model.architecture import Endpoint
from gatepost.model.domain import ReportsRead, SourceSeen, TlsFailureSeen
from lab.reports import mail, zipped
from tests.feedback.documents import BEGIN, CURRENT, END, LEGACY, NOW, TLS, tls

SINCE, UNTIL = date(2026, 10, 25), date(2026, 11, 24)
DAY = date(2026, 11, 1)
ROOT = Path(__file__).parents[2]


class Place:
    """A mailbox and a state directory."""

    def __init__(self, root: Path) -> None:
        self.state = root / "state"
        self.mailbox = root / "mail"
        self.mailbox.mkdir()
        self.told: list[tuple[str, str]] = []

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.mailbox / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def take(self, *paths: Path) -> Taken:
        self.told = []
        return take_in(self.state, letters(paths or (self.mailbox,)), NOW, lambda *said: self.told.append(said))

    def count(self, table: str) -> int:
        with closing(sqlite3.connect(self.state / "gatepost.db")) as db, db:
            (number,) = db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()  # noqa: S608 - a name of ours
            return int(number)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_report_in_every_wrapping_is_imported_once(place: Place) -> None:
    packed = gzip.compress(LEGACY.encode())
    place.put("a.xml", LEGACY)
    place.put("b.xml.gz", packed)
    place.put("c.eml", mail(packed, "r.xml.gz"))
    place.put("d.zip", zipped(**{"r.xml": LEGACY.encode()}))
    taken = place.take()
    assert (taken.letters, taken.new, taken.dmarc, taken.duplicates, taken.refused, taken.rows) == (4, 1, 1, 3, 0, 1)
    again = place.take()
    assert (again.new, again.duplicates) == (0, 4)
    assert (place.count("report"), place.count("report_row"), place.count("letter")) == (1, 1, 4)


def test_the_same_report_in_other_words_is_a_duplicate_and_another_period_is_not(place: Place) -> None:
    place.put("a.xml", LEGACY)
    place.put("b.xml", LEGACY.replace("\n", "\r\n"))
    place.put("c.xml", LEGACY.replace(str(BEGIN), str(BEGIN + 86400)).replace(str(END), str(END + 86400)))
    place.put("d.xml", LEGACY.replace("<domain>example.org</domain><adkim>", "<domain>example.net</domain><adkim>"))
    taken = place.take()
    assert (taken.new, taken.duplicates) == (3, 1)


def test_without_an_id_the_content_tells(place: Place) -> None:
    bare = LEGACY.replace("<report_id>5717107811868587391</report_id>", "")
    place.put("a.xml", bare)
    place.put("b.xml", bare.replace(">3<", ">4<"))
    place.put("c.xml.gz", gzip.compress(bare.encode()))
    taken = place.take()
    assert (taken.new, taken.duplicates, taken.lost) == (2, 1, {"report_id": 2})


def test_several_reports_in_a_zip_and_in_a_list(place: Place) -> None:
    place.put("a.zip", zipped(**{"a.xml": LEGACY.encode(), "b.xml": CURRENT.encode(), "c.json": tls()}))
    place.put("b.json", b"[" + tls(**{"report-id": "x"}) + b"," + tls(**{"report-id": "y"}) + b"]")
    taken = place.take()
    assert (taken.new, taken.dmarc, taken.letters, taken.refused) == (5, 2, 2, 0)
    assert place.take().duplicates == 5


def test_a_refusal_is_one_line_with_its_name_and_the_rest_is_imported(place: Place) -> None:
    place.put("a.zip", zipped(**{"a.xml": LEGACY.encode()[:500], "b.xml": CURRENT.encode()}))
    place.put("b.txt", "notes of mine")
    place.put("c.eml", "From: a\nSubject: hello\n\nno report\n")
    taken = place.take()
    assert (taken.new, taken.refused, taken.others) == (1, 1, 2)
    assert place.told == [(f"{place.mailbox}/a.zip: a.xml", "it is empty or ends in the middle")]
    assert place.count("letter") == 0  # not done: the next import tells it again
    assert (place.take().refused, place.take().duplicates) == (1, 1)


def test_a_named_file_without_a_report_is_refused(place: Place) -> None:
    named = [place.put("a.txt", "notes"), place.put("b.eml", "From: a\n\nhello"), place.put("c.xml", "<Invoice/>")]
    taken = place.take(*named)
    assert (taken.refused, taken.others) == (3, 0)
    assert [why.split(":")[0] for _, why in place.told] == [
        "it is neither XML, JSON, gzip, zip nor a mail", "it holds no report", "it is no DMARC report",
    ]  # fmt: skip


def test_a_file_of_a_gigabyte_is_one_line(place: Place) -> None:
    path = place.put("large.xml", LEGACY)
    with path.open("r+b") as file:
        file.truncate(1024**3)
    assert place.take().refused == 1
    assert place.told == [(str(path), "it has 1,024 MiB; more than 256 are not read")]


def test_an_unusable_state_directory_is_the_operators_to_mend(place: Place) -> None:
    place.state.write_text("a file")
    with pytest.raises(UsageError, match="--state"):
        place.take()


def test_a_state_that_can_not_be_used_is_told_in_words(place: Place) -> None:
    place.put("a.xml", LEGACY)
    place.take()
    database = place.state / "gatepost.db"
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA user_version = 1000")
    for use in (place.take, lambda: reportstore.domains(place.state)):
        with pytest.raises(UsageError, match="written by a newer gatepost"):
            use()
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("PRAGMA user_version = 0")
        db.execute("UPDATE report SET first = '2026', last = 'z'")
    with pytest.raises(UsageError, match="is damaged"):
        reportstore.read(place.state, None, SINCE, date.max)
    database.write_bytes(b"no database" * 1000)
    for use in (place.take, lambda: reportstore.domains(place.state)):
        with pytest.raises(UsageError, match="is damaged: restore it, or move it away"):
            use()


def test_a_mail_that_is_moved_meanwhile_is_found_the_next_time(place: Place) -> None:
    path = place.put("a.xml", LEGACY)
    waiting = [*letters([place.mailbox])]
    path.rename(place.mailbox / "b.xml")
    taken = take_in(place.state, waiting, NOW, lambda *_: None)
    assert (taken.refused, taken.new, place.take().new) == (0, 0, 1)


FULL = """
import resource, signal, sys
from pathlib import Path
from gatepost.edge.intake import take_in
from gatepost.edge.mailbox import letters
from gatepost.errors import UsageError
from tests.feedback.documents import NOW
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    take_in(Path(sys.argv[1]), letters([Path(sys.argv[2])]), NOW, print)
except UsageError as error:
    print(error)
"""


def test_a_full_disk_is_told_and_costs_nothing_that_was_there(place: Place) -> None:
    place.put("a.xml", LEGACY)
    place.take()
    rows = "".join(record(f"192.0.2.{n % 200}", n, "none", "pass", "pass") for n in range(5000))
    place.put("b.xml", LEGACY.replace("<report_id>", "<report_id>b").replace("</feedback>", f"{rows}</feedback>"))
    before = place.count("report_row")
    done = subprocess.run(
        [sys.executable, "-c", FULL, place.state, place.mailbox], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stdout.startswith(f"--state {place.state}: "), done
    assert ("rollback" in done.stdout, done.stderr) == (False, "")
    assert place.count("report_row") == before
    assert (place.take().new, place.count("report_row")) == (1, before + before + 5000)


def test_whoever_only_reads_writes_nothing(place: Place) -> None:
    place.put("a.xml", LEGACY)
    place.take()
    assert [one.name for one in place.state.iterdir()] == ["gatepost.db"]
    assert reportstore.domains(place.state) == ("example.org",)
    before = (place.state / "gatepost.db").stat().st_mtime_ns
    (place.state / "gatepost.db").chmod(0o400)
    place.state.chmod(0o500)
    try:
        assert reportstore.domains(place.state) == ("example.org",)
    finally:
        place.state.chmod(0o700)
    assert (place.state / "gatepost.db").stat().st_mtime_ns == before


def record(source: str, count: int, disposition: str, dkim: str, spf: str, domain: str = "example.org") -> str:
    start, end = LEGACY.index("  <record>"), LEGACY.index("</feedback>")
    return (
        LEGACY[start:end]
        .replace("192.0.2.25", source)
        .replace(">3<", f">{count}<")
        .replace("<dkim>fail</dkim>", f"<dkim>{dkim}</dkim>")
        .replace("<spf>pass</spf>", f"<spf>{spf}</spf>")
        .replace("<disposition>none", f"<disposition>{disposition}")
        .replace("<header_from>example.org", f"<header_from>{domain}")
    )


def report(number: int, *records: str, reporter: str = "google.com", days: int = 0) -> str:
    start, end = LEGACY.index("  <record>"), LEGACY.index("</feedback>")
    whole = LEGACY[:start] + "".join(records) + LEGACY[end:]
    whole = whole.replace("5717107811868587391", str(number)).replace(">google.com<", f">{reporter}<")
    return whole.replace(str(BEGIN), str(BEGIN + 86400 * days)).replace(str(END), str(END + 86400 * days))


def test_alignment_is_counted_by_message(place: Place) -> None:
    place.put("a.xml", report(
        1,
        record("192.0.2.1", 10, "none", "pass", "pass"), record("192.0.2.1", 5, "none", "pass", "fail"),
        record("192.0.2.1", 2, "reject", "fail", "fail"), record("192.0.2.2", 7, "quarantine", "fail", "fail"),
        record("192.0.2.3", 4, "pass", "fail", "pass"),
        record("192.0.2.1", 1, "none", "pass", "pass", "news.example.org"),
    ))  # fmt: skip
    place.put("b.xml", report(2, record("192.0.2.2", 1, "none", "fail", "fail"), reporter="Yahoo, Inc.", days=3))
    place.take()
    found = reportstore.sources(place.state, "example.org", SINCE, UNTIL)
    assert [
        (s.at.host, s.source, s.messages, s.aligned, s.spf, s.dkim, s.delivered, s.quarantined, s.rejected)
        for s in found
    ] == [
        ("example.org", "192.0.2.2", 8, 0, 0, 0, 1, 7, 0),
        ("example.org", "192.0.2.1", 17, 15, 10, 15, 15, 0, 2),
        ("example.org", "192.0.2.3", 4, 4, 4, 0, 4, 0, 0),
        ("news.example.org", "192.0.2.1", 1, 1, 1, 1, 1, 0, 0),
    ]  # fmt: skip
    assert found[0] == SourceSeen(
        Endpoint("example.org"), "192.0.2.2", 8, 0, 0, 0, 1, 7, 0, ("Yahoo, Inc.", "google.com"), DAY,
        date(2026, 11, 4), ("example.org", "list.example.net"),
    )  # fmt: skip
    assert len(reportstore.sources(place.state, "news.example.org", SINCE, UNTIL)) == 1
    assert reportstore.sources(place.state, "example.net", SINCE, UNTIL) == ()
    assert [s.source for s in reportstore.sources(place.state, None, SINCE, UNTIL, 1)] == ["192.0.2.2"]


def test_only_the_days_asked_for_count(place: Place) -> None:
    for day in range(4):
        place.put(f"{day}.xml", report(day, record("192.0.2.1", 1, "none", "pass", "pass"), days=day))
    place.take()
    (one,) = reportstore.sources(place.state, "example.org", date(2026, 11, 2), date(2026, 11, 3))
    assert (one.messages, one.first, one.last) == (2, date(2026, 11, 2), date(2026, 11, 3))


def test_reports_are_counted_by_domain_kind_and_reporter(place: Place) -> None:
    place.put(
        "a.xml",
        report(1, record("192.0.2.1", 10, "none", "pass", "pass"), record("192.0.2.2", 3, "none", "fail", "fail")),
    )
    day_2 = date(2026, 11, 2)
    for number in (2, 3):
        again = report(number, record("192.0.2.1", 1, "none", "pass", "pass"), reporter="yahoo", days=1)
        place.put(f"{number}.xml", again)
    place.put("c.json", tls())
    place.take()
    assert reportstore.reporters(place.state, None, SINCE, UNTIL) == (
        Reporter(ReportsRead(Endpoint("example.org"), "dmarc", 1, ("google.com",), DAY, DAY, 13, 3), 1),
        Reporter(ReportsRead(Endpoint("example.org"), "dmarc", 2, ("yahoo",), day_2, day_2, 2, 0), 1),
        Reporter(ReportsRead(Endpoint("example.org"), "tls", 1, ("Company-X",), DAY, DAY, 5629, 303), 1),
    )
    assert reportstore.read(place.state, "example.org", SINCE, UNTIL) == (
        ReportsRead(Endpoint("example.org"), "dmarc", 3, ("google.com", "yahoo"), DAY, day_2, 15, 3),
        ReportsRead(Endpoint("example.org"), "tls", 1, ("Company-X",), DAY, DAY, 5629, 303),
    )
    assert reportstore.domains(place.state) == ("example.org",)


def test_failures_are_joined_with_the_history_of_the_state_directory(place: Place) -> None:
    place.put("a.json", tls())
    place.take()
    detail = {
        "port": 25,
        "address": "203.0.113.57",
        "not_after": "2026-10-30T00:00:00+00:00",
        "names": [],
        "trusted": True,
    }
    with closing(sqlite3.connect(place.state / "gatepost.db")) as db, db:
        db.executescript(SCHEMA)
        stamps = ("2026-10-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00")
        row = ("certificate", "x", "digest", "mx1.mail.example.org", *stamps, json.dumps(detail))
        db.execute("INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    found = reportstore.failures(place.state, "example.org", SINCE, UNTIL)
    assert [(f.type, f.sessions) for f in found] == [
        ("starttls-not-supported", 200), ("certificate-expired", 100), ("validation-failure", 3),
    ]  # fmt: skip
    assert found[1].cause == ("mx1.mail.example.org, IPv4 (203.0.113.57), port 25: certificate expired on 2026-10-30")
    assert (found[1].reporters, found[1].first, found[1].policy) == (("Company-X",), DAY, "sts")


def test_failures_that_a_report_only_counts_are_not_lost(place: Place) -> None:
    (policy,) = json.loads(json.dumps(TLS))["policies"]
    policy["summary"]["total-failure-session-count"] = 310
    place.put("a.json", tls(policies=[policy, policy | {"failure-details": None}]))
    place.take()
    found = reportstore.failures(place.state, None, SINCE, UNTIL)
    assert [(f.type, f.sessions) for f in found if f.type == "untold"] == [("untold", 317)]
    assert sum(f.sessions for f in found) == 620
    (counted,) = reportstore.read(place.state, None, SINCE, UNTIL)
    assert counted.failures == 620


def test_an_audit_gets_the_last_thirty_days_of_its_domains(place: Place) -> None:
    place.put("a.xml", report(1, record("192.0.2.2", 3, "none", "fail", "fail")))
    place.put("b.json", tls())
    place.take()
    found = reportstore.reported(place.state, ("example.org", "example.net"), NOW)
    assert [type(one) for one in found] == [ReportsRead, ReportsRead, SourceSeen] + [TlsFailureSeen] * 3
    assert reportstore.reported(place.state, ("example.org",), datetime(2027, 3, 1, tzinfo=UTC)) == ()


def test_where_nothing_was_kept_there_is_nothing_and_no_file(tmp_path: Path) -> None:
    nowhere = tmp_path / "none"
    assert reportstore.reported(nowhere, ("example.org",), NOW) == ()
    assert reportstore.domains(nowhere) == ()
    assert not nowhere.exists()


def test_counts_without_end_do_not_overflow(place: Place) -> None:
    rows = [record("192.0.2.1", 1_000_000_000, "none", "pass", "pass")] * 50
    place.put("a.xml", report(1, *rows))
    place.take()
    (one,) = reportstore.sources(place.state, None, SINCE, UNTIL)
    assert one.messages == 50_000_000_000


IMPORT = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from gatepost.edge.intake import take_in
from gatepost.edge.mailbox import letters
print("ready", flush=True)
take_in(Path(sys.argv[1]), letters([Path(sys.argv[2])]), datetime(2026, 11, 24, 12, tzinfo=UTC), print)
"""


def test_two_imports_at_once_double_nothing(place: Place) -> None:
    _many(place)
    both = [_importing(place) for _ in range(2)]
    assert [one.wait(60) for one in both] == [0, 0]
    assert (place.count("report"), place.count("report_row"), place.count("letter")) == (60, 6000, 50)


@pytest.mark.parametrize("committed", [0, 1, 7, 30, 55])
def test_a_kill_loses_nothing_and_doubles_nothing(place: Place, committed: int) -> None:
    _many(place)
    running = _importing(place)
    _until(lambda: running.poll() is not None or _committed(place) >= committed)
    running.send_signal(signal.SIGKILL)
    running.wait(60)
    place.take()
    assert (place.count("report"), place.count("report_row"), place.count("letter")) == (60, 6000, 50)
    (one,) = reportstore.read(place.state, None, SINCE, UNTIL)
    assert (one.reports, one.sessions) == (60, 6000)
    with closing(sqlite3.connect(place.state / "gatepost.db")) as db, db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _many(place: Place) -> None:
    """Fifty mails; ten of them hold two reports. Each report has a hundred rows."""
    rows = [record(f"192.0.2.{n}", 1, "none", "pass", "pass") for n in range(100)]
    for number in range(40):
        place.put(f"{number}.eml", mail(gzip.compress(report(number, *rows).encode()), "r.xml.gz"))
    for number in range(40, 60, 2):
        pair = {f"{n}.xml": report(n, *rows).encode() for n in (number, number + 1)}
        place.put(f"{number}.eml", mail(zipped(**pair), "r.zip", "application/zip"))


def _importing(place: Place) -> subprocess.Popen[str]:
    running = subprocess.Popen(
        [sys.executable, "-c", IMPORT, place.state, place.mailbox], stdout=subprocess.PIPE, text=True,
        env={"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert running.stdout is not None
    with running.stdout as told:
        assert told.readline() == "ready\n"
    return running


def _committed(place: Place) -> int:
    try:
        return place.count("report")
    except sqlite3.Error:
        return 0


def _until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < end
