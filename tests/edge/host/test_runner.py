"""Commands end in bounds of time and output, and take what they started with them."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from gatepost.edge.host import runner
from gatepost.edge.host.runner import Prefixed, Ways, read, refusal, write
from gatepost.edge.host.script import Question, answers, script
from gatepost.edge.host.spawning import spawn
from gatepost.errors import CannotLook, UsageError
from gatepost.model.bundle import NOT_FOUND
from tests.edge.host.bench import until

HERE = Prefixed("this machine")
CHANGED = """@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @
Offending ED25519 key in /k:4
Host key verification failed.
"""


def alive(pid: int) -> bool:
    """A killed process that nobody collected is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_words_reach_the_program_unsplit() -> None:
    ran = HERE.run(("printf", "%s|", "a b", "$HOME", "'"))
    assert (ran.ok, ran.stdout) == (True, "a b|$HOME|'|")


def test_a_far_shell_splits_them_back() -> None:
    far = Prefixed("ssh far", ("sh", "-c"), resplit=True)
    assert far.run(("printf", "%s|", "a b", "$HOME", "'")).stdout == "a b|$HOME|'|"


def test_a_megabyte_goes_in_and_comes_back() -> None:
    text = "0123456789abcde\n" * 65536
    assert HERE.run(("cat",), stdin=text).stdout == text


def test_a_program_that_does_not_read_its_input() -> None:
    assert HERE.run(("true",), stdin="x" * 1_000_000).ok


def test_a_program_that_is_not_there() -> None:
    ran = HERE.run(("no-such-program-of-ours",))
    assert (ran.absent, ran.ok, ran.why) == (True, False, "no-such-program-of-ours is not installed")


def test_a_way_that_is_not_there_is_no_answer_of_the_host() -> None:
    with pytest.raises(CannotLook, match="far: no-such-way is not installed"):
        Prefixed("far", ("no-such-way",)).run(("true",))


def test_a_zero_byte_in_a_word() -> None:
    ran = HERE.run(("echo", "a\0b"))
    assert (ran.code, ran.ok) == (NOT_FOUND, False)


def test_the_whole_group_is_killed_in_time(tmp_path: Path) -> None:
    started = time.monotonic()
    ran = HERE.run(("sh", "-c", f"sleep 600 & echo $! > {tmp_path}/pid; wait"), patience=1)
    assert time.monotonic() - started < 30
    assert ran.why == "no end within 1 s"
    assert not ran.ok
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not alive(pid), "the end of what the shell started")  # killed by now, gone when the kernel gets to it


@pytest.mark.live
@pytest.mark.skipif(not shutil.which("doveconf"), reason="needs Dovecot")
def test_a_configuration_that_never_ends_leaves_no_process(tmp_path: Path) -> None:
    """It starts another program that reads, and that one waits for whoever writes into a FIFO."""
    conf = tmp_path / "dovecot.conf"
    os.mkfifo(tmp_path / "more.conf")
    conf.write_text(f"!include {tmp_path}/more.conf\n")
    ran = HERE.run(("doveconf", "-c", str(conf), "-n"), patience=1)
    assert ran.why == "no end within 1 s"
    until(lambda: not reading(str(conf)), "the end of what doveconf started")
    asked = (Question(("doveconf", "-c", str(conf), "-n"), 10_000),)
    (answer,) = answers(HERE.run(("sh", "-s"), stdin=script(asked, "mark", patience=1)).stdout, asked, "mark")
    assert answer.why == "no end within the time allowed"
    until(lambda: not reading(str(conf)), "the end of what doveconf started, as collect asks it")


def reading(word: str) -> list[int]:
    """Processes with this word in their command line."""
    found = ((int(p.name), p / "cmdline") for p in Path("/proc").iterdir() if p.name.isdecimal())
    return [pid for pid, path in found if alive(pid) and word.encode() in _octets(path)]


def _octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_flood_is_cut_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LARGEST", 1_048_576)
    ran = HERE.run(("cat", "/dev/zero"))
    assert ran.why == "more than 1 MB of output"
    assert len(ran.stdout) < 1_300_000


def test_a_flood_of_complaints_is_kept_short() -> None:
    ended = spawn(("sh", "-c", "head -c 3000000 /dev/zero >&2"), b"", patience=20, largest=1000)
    assert (ended.code, ended.why, len(ended.err)) == (0, "", 1_048_576)


def test_a_daemon_that_keeps_the_pipes_open_is_not_waited_for(tmp_path: Path) -> None:
    started = time.monotonic()
    ran = HERE.run(("sh", "-c", f"sleep 30 & echo $! > {tmp_path}/pid; echo done"), patience=20)
    assert time.monotonic() - started < 5
    assert (ran.ok, ran.stdout) == (True, "done\n")
    pid = int((tmp_path / "pid").read_text())
    assert alive(pid)
    os.kill(pid, 9)


def test_what_a_login_script_prints_is_no_answer() -> None:
    noisy = Prefixed("ssh mx1", ("sh", "-c", 'echo Welcome; exec sh -c "$1"', "sh"), resplit=True)
    assert noisy.run(("cat",), stdin="hello\n").stdout == "hello\n"
    assert noisy.run(("sh", "-c", "exit 7")).code == 7
    silent = Prefixed("ssh mx1", ("sh", "-c", "echo only this", "sh"), resplit=True)  # a command is forced on the key
    assert silent.run(("true",)).stdout == "only this\n"


def test_output_that_was_closed_is_not_the_end() -> None:
    assert HERE.run(("sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 7")).code == 7


@pytest.mark.parametrize(
    "via",
    [
        "",
        "local x",
        "netns",
        "netns -all",
        "ssh",
        "ssh -oProxyCommand=x",
        "ssh a b",
        "ssh $(id)",
        "ssh a;b",
        "ssh a\n",
        "docker a\tb",
        "telnet x",
    ],
)
def test_words_that_are_no_way(via: str) -> None:
    with pytest.raises(UsageError, match="is no way to a host"):
        Ways().to(via)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "no connection"),
        (
            "ssh: connect to host x port 22: Connection refused\r\n",
            "ssh: connect to host x port 22: Connection refused",
        ),
        (
            "No ED25519 host key is known for x and you have requested strict checking.\nHost key verification failed.",
            "its host key is in no known_hosts file: connect once with ssh and compare the fingerprint",
        ),
        (
            CHANGED,
            "its host key is not the one recorded in /k:4: somebody may be in between; nothing was sent to it",
        ),
    ],
)
def test_what_ssh_says_becomes_a_sentence(said: str, told: str) -> None:
    assert refusal(said) == told


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "main cf"
    path.write_text("old")
    path.chmod(0o640)
    assert write(HERE, str(path), "new\nlines\n").ok
    assert path.read_text() == "new\nlines\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["main cf"]
    taken = read(HERE, str(path))
    assert (taken.text, taken.mode, taken.size) == ("new\nlines\n", 0o640, 10)


def test_a_new_file_gets_the_mode_asked_for(tmp_path: Path) -> None:
    assert write(HERE, str(tmp_path / "a"), "x", 0o600).ok
    assert write(HERE, str(tmp_path / "b"), "x").ok
    assert [(tmp_path / n).stat().st_mode & 0o777 for n in "ab"] == [0o600, 0o644]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    assert write(HERE, str(tmp_path / "link"), "new").ok
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_file_that_cannot_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    ran = write(HERE, str(tmp_path / "none" / "file"), "new")
    assert not ran.ok
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    absent = read(HERE, str(tmp_path / "absent"))
    assert (absent.exists, absent.why) == (False, "there is no such file")
    (tmp_path / "binary").write_bytes(b"\x00\xff\xfe")
    binary = read(HERE, str(tmp_path / "binary"))
    assert (binary.exists, binary.text, binary.why) == (True, None, "not a text file in UTF-8")
    assert read(HERE, str(tmp_path)).why.endswith("Is a directory")
