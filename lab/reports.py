"""Sample reports as others send them, and what importing large and hostile ones costs."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.measure import Cost, run
from lab.places import PROJECT

DAY = 86400
DOMAIN = "example.org"
RECORDS = 100_000
BOUND_SECONDS, BOUND_MEGABYTES = 6.0, 200.0
PATIENCE = 300.0
MIB = 1024 * 1024


def yesterday() -> int:
    """The first second of it."""
    now = datetime.now(UTC)
    return int((now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)).timestamp())


def head(begin: int, reporter: str = "google.com", report_id: str = "1", domain: str = DOMAIN) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<feedback>\n  <version>1.0</version>\n  <report_metadata>\n'
        f"    <org_name>{reporter}</org_name>\n    <email>noreply-dmarc@{reporter}</email>\n"
        f"    <report_id>{report_id}</report_id>\n    <date_range>\n      <begin>{begin}</begin>\n"
        f"      <end>{begin + DAY - 1}</end>\n    </date_range>\n  </report_metadata>\n  <policy_published>\n"
        f"    <domain>{domain}</domain>\n    <adkim>r</adkim>\n    <aspf>r</aspf>\n    <p>reject</p>\n"
        "    <sp>reject</sp>\n    <pct>100</pct>\n  </policy_published>\n"
    )


def record(source: str, count: int, *, dkim: str, spf: str, fate: str, signer: str = DOMAIN, mail: str = DOMAIN) -> str:
    return (
        f"  <record>\n    <row>\n      <source_ip>{source}</source_ip>\n      <count>{count}</count>\n"
        f"      <policy_evaluated>\n        <disposition>{fate}</disposition>\n        <dkim>{dkim}</dkim>\n"
        f"        <spf>{spf}</spf>\n      </policy_evaluated>\n    </row>\n    <identifiers>\n"
        f"      <header_from>{DOMAIN}</header_from>\n    </identifiers>\n    <auth_results>\n      <dkim>\n"
        f"        <domain>{signer}</domain>\n        <result>pass</result>\n        <selector>s1</selector>\n"
        f"      </dkim>\n      <spf>\n        <domain>{mail}</domain>\n        <result>pass</result>\n      </spf>\n"
        "    </auth_results>\n  </record>\n"
    )


def large(records: int, report_id: str = "large") -> Iterator[bytes]:
    """An aggregate report with that many different senders."""
    dice = random.Random(records)  # noqa: S311 - the same bytes each time, no secret
    yield head(yesterday(), report_id=report_id).encode()
    for _ in range(records):
        source = ".".join(str(dice.randrange(1, 224)) for _ in range(4))
        outcome = dice.choice(("pass", "fail"))
        yield record(source, dice.randrange(1, 50), dkim=outcome, spf="pass", fate="none").encode()
    yield b"</feedback>\n"


def tls(begin: int, failures: list[dict[str, object]], reporter: str = "Example Sender", sessions: int = 1000) -> bytes:
    start = datetime.fromtimestamp(begin, UTC)
    told = {
        "organization-name": reporter,
        "date-range": {
            "start-datetime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "end-datetime": f"{start + timedelta(seconds=DAY - 1):%Y-%m-%dT%H:%M:%SZ}",
        },
        "contact-info": "postmaster@sender.example",
        "report-id": f"{begin}-{reporter}",
        "policies": [
            {
                "policy": {
                    "policy-type": "sts",
                    "policy-string": ["version: STSv1", "mode: enforce", "mx: *.example.org", "max_age: 86400"],
                    "policy-domain": DOMAIN,
                    "mx-host": ["*.example.org"],
                },
                "summary": {
                    "total-successful-session-count": sessions,
                    "total-failure-session-count": sum(int(str(one["failed-session-count"])) for one in failures),
                },
                "failure-details": failures,
            }
        ],
    }
    return json.dumps(told, indent=1).encode()


def mail(content: bytes, filename: str, kind: str = "application/gzip") -> bytes:
    """A report mail as RFC 7489 section 7.2.1.1 describes it."""
    body = base64.encodebytes(content).decode()
    return (
        f"From: noreply-dmarc@google.com\r\nTo: dmarc@{DOMAIN}\r\nSubject: Report Domain: {DOMAIN}\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b-1"\r\n\r\n'
        "--b-1\r\nContent-Type: text/plain\r\n\r\nThis is an aggregate report.\r\n--b-1\r\n"
        f'Content-Type: {kind}; name="{filename}"\r\nContent-Disposition: attachment; filename="{filename}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{body.replace(chr(10), chr(13) + chr(10))}\r\n--b-1--\r\n"
    ).encode()


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def bench_reports() -> None:
    """Rows for the bench: a large report within its bounds, and hostile ones that must end in one line."""
    print("\nreports of others")
    print(f"  {'':34}{'wall s':>9}{'cpu s':>8}{'MB':>6}{'exit':>6}")
    with TemporaryDirectory(prefix="gatepost-bench-") as folder:
        here = Path(folder)
        for name, path, refused in _cases(here):
            cost = _imported(here, path, refused=refused)
            said = cost.last.replace(f"{folder}/", "")[:120]
            print(f"  {name:34}{cost.wall:>9.2f}{cost.cpu:>8.2f}{cost.megabytes:>6.0f}{cost.status:>6}  {said}")
            path.unlink()
    print(f"  to reach: {RECORDS:,} records in {BOUND_SECONDS:.0f} s and {BOUND_MEGABYTES:.0f} MB, each bomb one line")


def _cases(here: Path) -> Iterator[tuple[str, Path, bool]]:
    """With whether it should be refused. Written in pieces: a child counts its parent's memory as its own."""
    yield f"{RECORDS:,} records, XML", _file(here / "large.xml", large(RECORDS)), False
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        file.writelines(large(RECORDS, "packed"))
    yield f"{RECORDS:,} records, gzip in a mail", _file(here / "a.eml", [mail(packed.getvalue(), "r.xml.gz")]), False
    yield "gzip bomb, 10 MB to 10 GB", _file(here / "bomb.gz", [bomb()]), True
    yield "zip bomb", _packed(here / "bomb.zip", "report.xml", blanks(2000)), True
    yield "zip in a zip", _file(here / "nested.zip", [zipped(**{"a.zip": zipped(**{"b.xml": b" " * MIB})})]), True
    yield "entity bomb", _file(here / "entities.xml", [entities()]), True
    yield "1 GB report, sparse", sparse(here / "sparse.xml"), True
    yield "nested without end", _file(here / "deep.xml", (b"<feedback>", *[b"<a>" * 350_000] * 100)), True
    yield "one tag of 200 MB", _file(here / "tag.xml", (b'<feedback a="', *[b"x" * MIB] * 200)), True


def blanks(mebibytes: int) -> Iterator[bytes]:
    yield head(yesterday()).encode()
    for _ in range(mebibytes):
        yield b" " * MIB


def bomb() -> bytes:
    """Ten megabytes of gzip members, an honest beginning and then blanks."""
    return gzip.compress(head(yesterday()).encode()) + gzip.compress(b" " * (16 * MIB), 9) * 640


def entities() -> bytes:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE feedback [<!ENTITY l0 "lol">{levels}]><feedback>&l11;</feedback>'.encode()


def sparse(path: Path) -> Path:
    """A gigabyte that takes no room on disk."""
    with path.open("wb") as file:
        file.write(head(yesterday()).encode())
        file.truncate(1024 * MIB)
    return path


def _file(path: Path, content: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        file.writelines(content)
    return path


def _packed(path: Path, name: str, content: Iterable[bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w", force_zip64=True) as file:
        file.writelines(content)
    return path


def _imported(here: Path, path: Path, *, refused: bool) -> Cost:
    """Of a refusal the line on stderr is kept, else the summary."""
    program = f"exec {sys.executable} -m gatepost reports import --quiet --state {here}/state {path}"
    command = ("sh", "-c", f"{program} >/dev/null" if refused else program)
    return run(command, PATIENCE, {"PYTHONPATH": str(PROJECT / "src")})


if __name__ == "__main__":
    bench_reports()
