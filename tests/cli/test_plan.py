"""`gatepost plan` from the command line: a host on loopback, and what was taken from it in a file."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.cli import plan as planning
from gatepost.edge.host.bundles import save
from gatepost.edge.host.hand import ROOT
from gatepost.edge.host.journal import records, write
from gatepost.enforcement.wishes import Wishes
from gatepost.errors import UsageError
from gatepost.model.bundle import Bundle, FileTaken, Ran
from gatepost.model.plan import Applied, Ending, Kind, Plan
from gatepost.report.plan import read_json
from gatepost.servers import postfix
from gatepost.servers.instances import main_cf, master_cf
from tests.cli.conftest import Gatepost, Said
from tests.enforcement.house import NOW

HOST = "mx1.example.org"
MAIN = "mail_version = 3.7.11\ndisable_vrfy_command = no\nsmtpd_tls_loglevel = 1\n"
MASTER = "smtp inet n - n - - smtpd\n"


@pytest.fixture
def door() -> int:
    """A port that refuses at once: an answer from outside, and a quick one."""
    with socket.create_server(("127.0.0.1", 0)) as once:
        port: int = once.getsockname()[1]
    return port


@pytest.fixture
def declared(tmp_path: Path, door: int) -> Path:
    path = tmp_path / "gatepost.toml"
    path.write_text(
        f'version = 1\n[hosts."{HOST}"]\naddresses = ["127.0.0.1"]\npostfix = ["/etc/postfix"]\n'
        f'services = [{{ name = "smtp", port = {door}, exposure = "internal" }}]\n'
    )
    return path


def taken(main: str = MAIN) -> Bundle:
    asked = (postfix.ALL, postfix.EXPANDED, postfix.WRITTEN)
    written = tuple(Ran(postfix.command("/etc/postfix", options), 0, main) for options in asked)
    services = Ran(postfix.command("/etc/postfix", postfix.SERVICES), 0, MASTER)
    files = tuple(
        FileTaken(path, True, 0o644, "root", "root", len(text), NOW, text)
        for path, text in ((main_cf("/etc/postfix"), main), (master_cf("/etc/postfix"), MASTER))
    )
    return Bundle(HOST, NOW, "this machine", (*written, services), files)


def planned(gatepost: Gatepost, declared: Path, *more: str, bundle: Bundle | None = None) -> Said:
    file = declared.with_name("host.bundle")
    save(bundle or taken(), file)
    return gatepost("plan", HOST, "-c", str(declared), "--ports", "smtp", "--bundle", str(file), *more)


def test_steps_are_pending(gatepost: Gatepost, declared: Path) -> None:
    said = planned(gatepost, declared)
    assert said.code == 1
    assert "answer no questions about mailboxes (VRFY)" in said.out
    assert "disable_vrfy_command is no (/etc/postfix/main.cf:2)." in said.out
    assert "$ postconf -c /etc/postfix -e disable_vrfy_command=yes" in said.out
    assert said.out.rstrip().endswith("nothing was changed. Do it with: gatepost apply")


def test_a_saved_plan_is_the_plan(gatepost: Gatepost, declared: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    said = planned(gatepost, declared, "-o", str(file))
    assert (said.code, said.out) == (1, "")
    plan = planning.load(file)
    assert any(step.key.endswith("disable_vrfy_command") for step in plan.doing)
    assert read_json(planned(gatepost, declared, "--format", "json").out).steps == plan.steps
    file.write_text(file.read_text().replace("disable_vrfy_command=yes", "disable_vrfy_command=no"))
    with pytest.raises(UsageError, match="changed after it was made"):
        planning.load(file)


def test_only_some_kinds(gatepost: Gatepost, declared: Path) -> None:
    said = planned(gatepost, declared, "--only", "dovecot,dns", "--format", "json")
    assert (said.code, read_json(said.out).steps) == (0, ())
    told = planned(gatepost, declared, "--only", "dovecot").out
    assert told.startswith("· no step to take\n")
    assert "No step here promises to end" in told


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--only", "rockets"), "--only: no kind of step is named 'rockets'; known: dns, dovecot, firewall"),
        (("--insist", "postfix.tls.auth_only"), "--insist: 'postfix.tls.auth_only' is no step by hand"),
        (("--insist", "nonsense"), "--insist: 'nonsense' is no step by hand"),
        (("--bundle", "/nowhere"), "/nowhere: no such file or directory"),
    ],
)
def test_wrong_requests(gatepost: Gatepost, declared: Path, words: tuple[str, ...], complaint: str) -> None:
    said = planned(gatepost, declared, *words)
    assert (said.code, said.out) == (2, "")
    assert complaint in said.err


def test_nothing_declared(gatepost: Gatepost, tmp_path: Path, door: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = gatepost("plan", "mx.example.org", "--address", "127.0.0.1", "--ports", str(door))
    assert said.code == 2
    assert (
        said.err == "gatepost: nothing is declared, so nothing can be enforced: gatepost init writes a gatepost.toml\n"
    )


def test_nobody_looked_inside(gatepost: Gatepost, declared: Path) -> None:
    said = gatepost("plan", HOST, "-c", str(declared), "--ports", "smtp", "--only", "postfix")
    assert (said.code, said.out) == (3, "")
    assert "no declared host could be looked at from inside; set `via` in the declaration" in said.err


def test_what_is_insisted_on(gatepost: Gatepost, declared: Path) -> None:
    bundle = taken(MAIN + "compatibility_level = 0\n")
    said = planned(gatepost, declared, bundle=bundle)
    assert "Decided? Pass --insist postfix.relay.compatibility_level" in " ".join(said.out.split())
    told = planned(gatepost, declared, "--insist", "postfix.relay.compatibility_level", bundle=bundle)
    assert "$ postconf -c /etc/postfix -e compatibility_level=2" in told.out


def test_wishes() -> None:
    assert planning.wishes("firewall, dns", ["all"], close_legacy=True) == replace(
        Wishes(True, frozenset({Kind.DNS, Kind.FIREWALL}), frozenset({"all"})), operator=planning.operator()
    )


def test_the_operator_is_where_the_session_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_CLIENT", raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.9 50022 192.0.2.5 22")
    assert planning.operator() == "203.0.113.9"
    monkeypatch.delenv("SSH_CONNECTION")
    assert planning.operator() == ""


def test_files_that_are_no_plan(tmp_path: Path) -> None:
    for text, words in ((b"\xff", "not UTF-8"), (b"{}", "expected 'gatepost/plan/1'")):
        path = tmp_path / "plan.json"
        path.write_bytes(text)
        with pytest.raises(UsageError, match=words):
            planning.load(path)
    with pytest.raises(UsageError, match="no such file"):
        planning.load(tmp_path / "missing.json")


def test_what_was_cut_off_is_ended_first_where_it_is_remembered(
    gatepost: Gatepost, declared: Path, tmp_path: Path
) -> None:
    state = tmp_path / "remembered"
    write(state, Applied(Plan("20261124-1", NOW, ""), NOW, Ending.UNFINISHED, id="20261124-1", backups=ROOT))
    said = planned(gatepost, declared, "--state", str(state))
    assert "20261124-1" in said.err
    assert [one.ending for one in records(state)] == [Ending.ROLLED_BACK]
