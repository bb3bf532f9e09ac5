"""What is brought home from a host: bounded, framed, without secrets. The hosts are real shells with odd programs."""

from __future__ import annotations

import os
import shutil
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.edge.host import collecting
from gatepost.edge.host.bundles import dumps
from gatepost.edge.host.collecting import collect
from gatepost.edge.host.runner import Prefixed
from gatepost.edge.host.script import Question, answers, begun, pattern, script
from gatepost.errors import CannotLook
from gatepost.model.architecture import Host
from gatepost.model.bundle import Ran
from gatepost.model.host import BundleRead, DaemonSaid, ListenerConfigured, SettingSeen
from gatepost.model.observation import Unobserved, of
from gatepost.servers.witness import facts
from tests.servers.test_files import KEY, PEM, PUBLIC

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HERE = Prefixed("this machine")
MARK = "gatepost-0123"
SECRET = "geh3im"
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def visit(*argv: tuple[str, ...], largest: int = 100_000, patience: int = 15) -> list[Ran]:
    questions = [Question(one, largest) for one in argv]
    ran = HERE.run(("sh", "-s"), stdin=script(questions, MARK, patience), patience=30)
    assert begun(ran.stdout, MARK)
    return list(answers(ran.stdout, questions, MARK))


def test_answers_come_back_whole() -> None:
    said = visit(
        ("printf", "%s", f"{MARK} done\n{MARK} run 1\nno end of line"),
        ("sh", "-c", "echo out; echo oops >&2; echo again >&2; exit 3"),
        ("printf", "a'b\"c $HOME \\ %s", "*"),
        ("true",),
        ("no-such-program-of-ours",),
        ("cat",),
    )
    assert [one.stdout for one in said[:4]] == [
        f"{MARK} done\n{MARK} run 1\nno end of line", "out\n", "a'b\"c $HOME \\ *", "",
    ]  # fmt: skip
    assert (said[1].code, said[1].stderr) == (3, "oops\nagain")
    assert [one.ok for one in said] == [True, False, True, True, False, True]
    assert said[4].absent


def test_a_command_that_hangs_costs_its_own_time_only() -> None:
    started = time.monotonic()
    said = visit(("sleep", "60"), ("echo", "next"), patience=1)
    assert time.monotonic() - started < 10
    assert said[0].why == "no end within the time allowed"
    assert said[1].stdout == "next\n"


def test_a_hundred_megabytes_are_cut() -> None:
    started = time.monotonic()
    said = visit(
        ("head", "-c", "100000000", "/dev/zero"), ("sh", "-c", "head -c 3000000 /dev/zero >&2"), ("echo", "next")
    )
    assert time.monotonic() - started < 10
    assert (said[0].why, len(said[0].stdout)) == ("more than 100000 bytes of output", 100_000)
    assert len(said[1].stderr) < 20_000
    assert said[2].stdout == "next\n"


def test_a_host_without_base64_answers_in_hexadecimal() -> None:
    questions = [Question(("printf", "%s", "a\nb é"), 1000), Question(("false",), 1000)]
    text = script(questions, MARK).replace("command -v base64", "command -v no-such-base64")
    ran = HERE.run(("sh", "-s"), stdin=text)
    first, second = answers(ran.stdout, questions, MARK)
    assert f"{MARK} begin hex" in ran.stdout
    assert (first.stdout, second.code) == ("a\nb é", 1)


def test_half_a_script_does_nothing(tmp_path: Path) -> None:
    text = script([Question(("touch", str(tmp_path / "made")), 10)], MARK)
    HERE.run(("sh", "-s"), stdin=text[: text.index("printf '%s end")])
    assert not (tmp_path / "made").exists()


def test_half_an_answer_tells_what_it_can() -> None:
    questions = [Question(("echo", "one"), 100), Question(("echo", "two"), 100)]
    whole = HERE.run(("sh", "-s"), stdin=script(questions, MARK)).stdout
    first, second = answers(whole[: whole.index(f"{MARK} run 1")], questions, MARK, "no end within 180 s")
    assert (first.stdout, second.ok, second.why) == ("one\n", False, "no end within 180 s")


@given(
    st.lists(
        st.sampled_from([f"{MARK} run 0", f"{MARK} said", f"{MARK} done", f"{MARK} begin hex", "YQ==", "MA", "é", ""])
    )
)
@settings(max_examples=200)
def test_any_output_becomes_answers(lines: list[str]) -> None:
    questions = [Question(("a",), 10), Question(("b",), 10)]
    assert [one.argv for one in answers("\n".join(lines), questions, MARK)] == [("a",), ("b",)]


@pytest.mark.parametrize("name", ["a b", "$(touch made)", "a'b", "`x`", "x;y", "-n", "\\", "*literal"])
def test_patterns_mean_stars_and_nothing_else(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    (directory / "1.conf").write_text("one")
    ran = HERE.run(("sh", "-c", f'for f in {pattern(str(directory) + "/*.conf")}; do cat -- "$f"; done'))
    assert ran.stdout == "one"
    assert not Path("made").exists()


def test_a_way_that_leads_nowhere() -> None:
    with pytest.raises(CannotLook, match=r"^nowhere: Cannot open network namespace|^nowhere: .*not installed"):
        collect(Prefixed("nowhere", ("ip", "netns", "exec", "gp-no-such-namespace")), Host("h", (), ()), NOW)
    with pytest.raises(CannotLook, match=r"^mute: it did not run our script"):
        collect(Prefixed("mute", ("true",)), Host("h", (), ()), NOW)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Configurations full of secrets; no daemon runs them."""
    (tmp_path / "postfix").mkdir()
    (tmp_path / "postfix" / "main.cf").write_text(
        f"smtpd_tls_chain_files = {tmp_path}/all.pem\nsmtp_sasl_password_maps = static:u:{SECRET}\n"
        f"virtual_mailbox_maps = mysql:{{ password =\n  {SECRET} }}\n# old_password = {SECRET}\n"
        "myhostname = mx.example\n"
    )
    (tmp_path / "postfix" / "master.cf").write_text(
        f"smtp inet n - n - - smtpd\nfilter unix - n n - - pipe user=nobody argv=/bin/x --password {SECRET}\n"
    )
    (tmp_path / "conf d").mkdir()
    (tmp_path / "conf d" / "10.conf").write_text(f"ssl_cert = <{tmp_path}/all.pem\nssl_key = <{tmp_path}/k.pem\n")
    (tmp_path / "conf d" / "20.conf").write_text(f"doveadm_password = {SECRET}\n")
    (tmp_path / "dovecot.conf").write_text(
        f"base_dir = {tmp_path}/run\nprotocols = imap\nssl = required\n!include conf?d/*.conf\n"
        f"passdb {{\n  driver = static\n  args = password={SECRET}\n}}\n"
    )
    (tmp_path / "all.pem").write_text(PRIVATE + PEM)
    (tmp_path / "k.pem").write_text(PRIVATE)
    (tmp_path / "k.pem").chmod(0o600)
    return Host("mx1.example.org", (), (), postfix=(f"{tmp_path}/postfix",), dovecot=(f"{tmp_path}/dovecot.conf",))


def test_no_secret_and_no_private_key_comes_home(host: Host, tmp_path: Path) -> None:
    """Of the keys the public half, all the same, and twice the same."""
    bundle = collect(HERE, host, NOW)
    text = dumps([bundle])
    assert SECRET not in text
    assert "PRIVATE KEY" not in text
    assert not [line for line in PRIVATE.splitlines() if line in text]
    assert "BEGIN CERTIFICATE" in text
    chain, key = (bundle.file(str(tmp_path / name)) for name in ("all.pem", "k.pem"))
    assert chain
    assert key
    assert (chain.note, chain.why) == (PUBLIC, "")
    assert (key.note, key.why, key.mode, key.text) == (PUBLIC, "", 0o600, "")
    again = collect(HERE, host, NOW)
    assert of(SettingSeen, facts(again, host)) == of(SettingSeen, facts(bundle, host))


@pytest.mark.skipif(not shutil.which("doveconf"), reason="dovecot is not installed")
def test_includes_are_followed_into_a_directory_with_a_blank(host: Host, tmp_path: Path) -> None:
    seen = facts(collect(HERE, host, NOW), host)
    (cert,) = (s for s in of(SettingSeen, seen) if s.name == "ssl_cert")
    assert str(cert.place) == f"{tmp_path}/conf d/10.conf:1"


@pytest.mark.skipif(not shutil.which("doveconf") or not shutil.which("postconf"), reason="no mail servers installed")
def test_half_written_files_leave_the_rest_readable(host: Host, tmp_path: Path) -> None:
    (tmp_path / "postfix" / "master.cf").write_text("smtp inet n - n - - smtpd\n\0\377garbage\n25\0\0\0\0\0\0\0\0\0")
    (tmp_path / "dovecot.conf").write_bytes(b"ssl = required\nprotocols = imap\nservice imap-login {\n\xff\xfe {\n")
    seen = facts(collect(HERE, host, NOW), host)
    assert {(s.software, s.broken) for s in of(DaemonSaid, seen)} >= {("postfix", True), ("dovecot", True)}
    values = {(s.software, s.name): s.value for s in of(SettingSeen, seen)}
    assert values["postfix", "myhostname"] == "mx.example"
    assert values["dovecot", "ssl"] == "required"
    assert "smtp/inet" in {one.name for one in of(ListenerConfigured, seen)}


def test_a_binary_in_place_of_a_configuration(host: Host, tmp_path: Path) -> None:
    shutil.copy("/bin/true", tmp_path / "postfix" / "main.cf")
    bundle = collect(HERE, host, NOW)
    taken = bundle.file(f"{tmp_path}/postfix/main.cf")
    assert taken
    assert (taken.text, taken.why) == (None, "not a text file in UTF-8")
    facts(bundle, host)


def odd(tmp_path: Path, name: str, script: str) -> None:
    program = tmp_path / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_programs_that_flood_are_no_answer(host: Host, tmp_path: Path) -> None:
    for name in ("doveconf", "postconf", "ss", "nft"):
        odd(tmp_path, name, "exec yes")
    strange = Prefixed("strange", ("env", f"PATH={tmp_path}/bin:{os.environ['PATH']}"))
    started = time.monotonic()
    bundle = collect(strange, host, NOW)
    assert time.monotonic() - started < 60
    assert {r.why for r in bundle.commands("nft")} == {"more than 25165824 bytes of output"}
    seen = facts(bundle, host)
    assert {s.value for s in of(SettingSeen, seen) if s.name == "myhostname"} == {"mx.example"}


def test_what_takes_too_long_as_a_whole_is_told_as_far_as_it_came(host: Host, tmp_path: Path) -> None:
    odd(tmp_path, "dpkg-query", "trap '' TERM; exec sleep 30")
    strange = Prefixed("strange", ("env", f"PATH={tmp_path}/bin:{os.environ['PATH']}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, "WHOLE", 1.5)
        bundle = collect(strange, host, NOW)
    assert bundle.command("id", "-u")
    assert "no end within 1.5 s" in {ran.why for ran in bundle.ran}


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to give it up")
def test_without_root_what_can_be_seen_is_seen(host: Host, tmp_path: Path) -> None:
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(directory.stat().st_mode | 0o755)
    nobody = Prefixed("nobody", ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    bundle = collect(nobody, host, NOW)
    seen = facts(bundle, host)
    assert [one.root for one in of(BundleRead, seen)] == [False]
    lost = {one.wanted for one in of(Unobserved, seen)}
    assert f"contents of {tmp_path}/k.pem" in lost
    assert "myhostname" in {s.name for s in of(SettingSeen, seen)}


def test_pipes_and_devices_are_not_opened(host: Host, tmp_path: Path) -> None:
    """Nine pipes would take all the time of a visit, and some devices act when they are opened."""
    odd = [tmp_path / f"pipe{n}" for n in range(9)]
    for path in odd:
        os.mkfifo(path)
    odd += [Path("/dev/zero"), tmp_path]
    with (tmp_path / "postfix" / "main.cf").open("a") as file:
        file.write(f"smtpd_tls_key_file = {odd[0]}\nsmtp_tls_chain_files = {' '.join(map(str, odd[1:]))}\n")
    started = time.monotonic()
    bundle = collect(HERE, host, NOW)
    assert time.monotonic() - started < 30
    for path in odd:
        taken = bundle.file(str(path))
        assert taken is not None
        assert (taken.exists, taken.text or "", taken.why) == (True, "", "it is no regular file"), path


def test_a_helper_that_outlives_its_program_holds_nothing_up() -> None:
    """As those of doveconf do: they keep its output open, and do not end when they are asked to."""
    stubborn = "trap '' TERM HUP; (trap '' TERM HUP; sleep 60; true) & wait"
    asked = (Question(("sh", "-c", stubborn), 100), Question(("echo", "hello"), 100))
    started = time.monotonic()
    ran = HERE.run(("sh", "-s"), stdin=script(asked, "mark", patience=1), patience=50)
    first, second = answers(ran.stdout, asked, "mark", ran.why)
    assert time.monotonic() - started < 30
    assert first.why == "no end within the time allowed"
    assert (second.ok, second.stdout) == (True, "hello\n")
