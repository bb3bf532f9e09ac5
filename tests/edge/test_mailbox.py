"""Files, directories, mbox and Maildir: every message once, in a stable order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.edge import mailbox
from gatepost.edge.mailbox import Letter, Unreadable, letters
from gatepost.errors import UsageError

POSTMARK = b"From a@example.net Sun Nov  1 00:00:00 2026\n"


def read(*paths: Path) -> list[tuple[str, bytes]]:
    found = []
    for one in letters(paths):
        assert isinstance(one, Letter)
        content = b"".join(one.chunks())
        assert len(content) == one.size
        found.append((one.name, content))
    return found


def test_a_file_is_one_letter(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(b"<x/>" * 50_000)
    assert read(tmp_path / "a.xml") == [(f"{tmp_path}/a.xml", b"<x/>" * 50_000)]


def test_a_directory_with_all_below_it_but_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b", "a", "sub/c", ".partial"):
        (tmp_path / name).write_bytes(name.encode())
    assert [content for _, content in read(tmp_path)] == [b"a", b"b", b"sub/c"]


def test_a_maildir_without_what_is_not_mail(tmp_path: Path) -> None:
    for name in ("cur", "new", "tmp", ".Archive/cur", ".Archive/new", ".Archive/tmp"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.M2.host:2,S").write_bytes(name.encode())
    (tmp_path / "dovecot.index.log").write_bytes(b"x")
    assert sorted(content for _, content in read(tmp_path)) == [b".Archive/cur", b".Archive/new", b"cur", b"new"]


def test_an_mbox_is_cut_at_its_postmarks_only(tmp_path: Path) -> None:
    first = POSTMARK + b"Subject: a\n\nFrom here on it is text.\n>From quoted\n\nFrom me\n\n"
    second = POSTMARK.replace(b"\n", b"\r\n") + b"Subject: b\r\n\r\n" + b"x" * 3000 + b"\r\n\r\n"
    third = POSTMARK + b"Subject: c\n\nend"
    path = tmp_path / "mbox"
    path.write_bytes(first + second + third)
    assert read(path) == [
        (f"{path}: message 1", first), (f"{path}: message 2", second), (f"{path}: message 3", third),
    ]  # fmt: skip


def test_one_message_with_a_postmark_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(POSTMARK + b"Subject: a\n\nx")
    (one,) = letters([tmp_path / "mail"])
    assert isinstance(one, Letter)
    assert (one.name, one.named) == (f"{tmp_path}/mail", True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1500), min_size=1, max_size=8), st.integers(600, 3000))
def test_windows_do_not_matter(tmp_path_factory: pytest.TempPathFactory, sizes: list[int], window: int) -> None:
    messages = [POSTMARK + b"Subject: a\n\n" + b"From x\n" * (size // 7) + b"\n\n" for size in sizes]
    path = tmp_path_factory.mktemp("mbox") / "mbox"
    path.write_bytes(b"".join(messages))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mailbox, "_WINDOW", window)
        assert [content for _, content in read(path)] == messages


@settings(deadline=None)  # disks have their own time
@given(st.binary(max_size=3000))
def test_nothing_is_lost_or_doubled(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("mbox") / "mbox"
    path.write_bytes(POSTMARK + data.replace(b"\x00", b"\n" + POSTMARK))
    assert b"".join(content for _, content in read(path)) == path.read_bytes()


def test_what_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none: no such file or directory"):
        letters([tmp_path, tmp_path / "none"])


def test_what_is_no_file_is_told_where_it_was_named_and_passed_over_elsewhere(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert list(letters([tmp_path / "pipe"])) == [Unreadable(f"{tmp_path}/pipe", "not a regular file")]
    assert list(letters([tmp_path])) == []


def test_loops_of_links_end(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "a").write_bytes(b"a")
    assert [content for _, content in read(tmp_path)] == [b"a"]
