"""gatepost logs and gatepost query, as they are typed."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Gatepost

LINES = """\
Mar  2 10:00:00 mx1 postfix/submission/smtpd[100]: connect from client.example.net[192.0.2.7]
Mar  2 10:00:02 mx1 postfix/submission/smtpd[100]: warning: client.example.net[192.0.2.7]: SASL PLAIN authentication \
failed: authentication failure, sasl_username=alice@example.org
Mar  2 10:00:03 mx1 postfix/submission/smtpd[100]: disconnect from client.example.net[192.0.2.7] ehlo=1 auth=0/1 \
commands=1/2
Mar  3 11:00:00 mx1 postfix/smtpd[101]: connect from mail.example.com[2001:db8::25]
Mar  3 11:00:01 mx1 gibberish of a daemon that nobody knows
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log.1"
    path.write_text(LINES)
    return path


@pytest.fixture
def state(tmp_path: Path, log: Path, gatepost: Gatepost) -> str:
    directory = str(tmp_path / "state")
    assert gatepost("logs", "import", str(log), "--year", "2026", "--zone", "UTC", "--state", directory).code == 0
    return directory


def test_import_tells_what_it_read_and_reads_nothing_twice(tmp_path: Path, log: Path, gatepost: Gatepost) -> None:
    state = ("--state", str(tmp_path / "state"))
    first = gatepost("logs", "import", str(log), "--year", "2026", *state)
    assert "4 rows" in first.out
    assert "2026-03-02 10:00:00Z to 2026-03-03 11:00:00Z" in first.out.replace("\n", " ")
    assert "gibberish" in first.out
    packed = tmp_path / "mail.log.2.gz"
    with log.open("rb") as plain, gzip.open(packed, "wb") as to:
        shutil.copyfileobj(plain, to)
    again = gatepost("logs", "import", str(packed), str(log), "--year", "2026", *state)
    assert again.out.count("known already") == 2
    with log.open("a") as file:
        file.write(
            "Mar  3 11:00:05 mx1 postfix/smtpd[101]: disconnect from mail.example.com[2001:db8::25] commands=0/0\n"
        )
    grown = gatepost("logs", "import", str(log), "--year", "2026", *state)
    assert f"new from byte {len(LINES)}" in grown.out.replace(",", "")
    asked = gatepost("query", "SELECT count(*) FROM events", "--format", "csv", *state)
    assert asked.out.split()[-1] == "5"


def test_import_as_json_and_lines_of_no_host(tmp_path: Path, gatepost: Gatepost) -> None:
    path = tmp_path / "dovecot.log"
    path.write_text(
        "Mar 02 10:00:00 imap-login: Info: Login: user=<a>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, mpid=7, TLS\n"
    )
    state = ("--state", str(tmp_path / "s"))
    said = gatepost("logs", "import", str(path), "--host", "imap1", "--format", "json", *state)
    assert json.loads(said.out)["files"][0]["rows"] == 1
    assert json.loads(gatepost("query", "SELECT host FROM events", "--format", "json", *state).out) == [
        {"host": "imap1"}
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("logs", "import", "/nonexistent/x"), "no such file"),
        (("logs", "import", "/nonexistent/*"), "no file matches"),
        (("logs", "import", "/dev/null", "--zone", "Mars/Base"), "no such time zone"),
        (("logs", "export", "--format", "ecs", "--since", "soon"), "a day such as"),
        (("logs", "verify", "--head", "7"), "NUMBER:DIGEST"),
        (("query", "SELECT clint FROM events"), 'meant perhaps: "client"'),
        (("query", "SELECT min(at) FROM events"), "in double quotes"),
        (("query", "SELECT 1; SELECT 2"), "one question at a time"),
        (("query", ""), "one question at a time"),
        (("query", "DROP VIEW events"), "only questions"),
        (("query", "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1"), "only questions"),
        (("query", "COPY (SELECT 1) TO 'x'"), "only questions"),
        (("query", "SELECT * FROM read_text('/etc/passwd')"), "disabled"),
    ],
)
def test_bad_input_is_a_sentence(gatepost: Gatepost, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    answer = gatepost(*words, "--state", str(tmp_path / "s"))
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) <= 2


def test_list_coverage_verify_and_compact(gatepost: Gatepost, state: str) -> None:
    assert "mail.log.1" in gatepost("logs", "list", "--state", state).out
    assert json.loads(gatepost("logs", "list", "--state", state, "--format", "json").out)["sources"][0]["lines"] == 4
    assert "smtpd" in gatepost("logs", "coverage", "--state", state).out
    whole = gatepost("logs", "verify", "--state", state)
    assert whole.out.startswith("✓ whole: ")
    head = whole.out.split("newest link ")[1].split()[0]
    assert gatepost("logs", "verify", "--state", state, "--head", head).code == 0
    assert "nothing to merge" in gatepost("logs", "compact", "--state", state).out
    next(Path(state).glob("lake/events/day=*/*.parquet")).unlink()
    broken = gatepost("logs", "verify", "--state", state)
    assert broken.code == 1
    assert "is missing" in broken.out


def test_prune_shows_first_and_deletes_when_told(gatepost: Gatepost, state: str) -> None:
    shown = gatepost("logs", "prune", "--keep-days", "1", "--state", state)
    assert "nothing was changed yet" in shown.out
    ask = ("query", "SELECT count(*) FROM events", "--format", "csv", "--state", state)
    assert gatepost(*ask).out.split()[-1] == "4"
    assert gatepost("logs", "prune", "--keep-days", "1", "--yes", "--state", state).code == 0
    assert gatepost(*ask).out.split()[-1] == "0"
    assert gatepost("logs", "verify", "--state", state).code == 0
    assert gatepost("logs", "prune", "--keep-days", "1", "--state", state).out == "nothing is old enough\n"


def test_prune_takes_the_names_out_as_declared(gatepost: Gatepost, state: str, tmp_path: Path) -> None:
    declared = tmp_path / "gatepost.toml"
    declared.write_text('version = 1\n[logs]\nkeep = "36500d"\npseudonymise = "1d"\n')
    said = gatepost("logs", "prune", "--yes", "--state", state, "-c", str(declared))
    assert "pseudonyms" in said.out
    found = gatepost(
        "query", 'SELECT DISTINCT "user" FROM events WHERE "user" <> \'\'', "--format", "csv", "--state", state
    )
    assert found.out.split()[1].startswith("~")
    assert gatepost("logs", "verify", "--state", state).code == 0


def test_what_the_chain_cannot_prove_is_said_in_the_help(gatepost: Gatepost) -> None:
    assert "can write another chain" in " ".join(gatepost("logs", "verify", "--help").out.split())


def test_a_query_in_each_form(gatepost: Gatepost, state: str) -> None:
    ask = ("query", "SELECT client, 1.5::DOUBLE AS x, NULL AS n, [1, 2] AS l FROM events WHERE kind = 'auth-failed'")
    table = gatepost(*ask, "--state", state).out
    assert table.split() == ["client", "x", "n", "l", "192.0.2.7", "1.5", "·", "1,", "2", "1", "row"]
    assert json.loads(gatepost(*ask, "--format", "jsonl", "--state", state).out) == {
        "client": "192.0.2.7", "x": 1.5, "n": None, "l": [1, 2],
    }  # fmt: skip
    assert gatepost(*ask, "--format", "csv", "--state", state).out == "client,x,n,l\n192.0.2.7,1.5,,1; 2\n"
    assert gatepost("query", "SELECT 1 WHERE false", "--format", "json", "--state", state).out == "[]\n"
    assert "the first 2 rows" in gatepost("query", "FROM events", "--limit", "2", "--state", state).out


def test_a_value_is_no_command_to_the_terminal(gatepost: Gatepost, state: str) -> None:
    for form in ("table", "csv", "json", "jsonl"):
        said = gatepost("query", "SELECT chr(27) || '[31m' || chr(155) AS x", "--format", form, "--state", state)
        assert not set(said.out) & {"\x1b", "\x9b"}


def test_export_in_the_words_of_others(gatepost: Gatepost, state: str, tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    assert (
        gatepost("logs", "export", "--format", "ecs", "--until", "2026-03-02", "--state", state, "-o", str(out)).code
        == 0
    )
    events = [json.loads(line) for line in out.read_text().splitlines()]
    failed = next(one for one in events if one["event"]["action"] == "auth-failed")
    assert len(events) == 3
    assert (failed["user"]["name"], failed["source"]["ip"], failed["event"]["outcome"]) == (
        "alice@example.org",
        "192.0.2.7",
        "failure",
    )
    said = gatepost("logs", "export", "--format", "ocsf", "--since", "2026-03-03", "--state", state)
    assert [json.loads(line)["class_uid"] for line in said.out.splitlines()] == [4001]
