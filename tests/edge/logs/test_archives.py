from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from gatepost.edge.logs.archives import archive
from gatepost.errors import CannotLook
from gatepost.model.log import Chunk, Shape

LINES = b"".join(b"Nov 24 10:00:00 mx1 postfix/smtpd[%d]: connect from unknown[192.0.2.1]\n" % n for n in range(2000))


def _zstd(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(data)
    return bytes(out.getvalue())


def _xz(data: bytes) -> bytes:
    return lzma.compress(data, preset=0)  # the quick one


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "xz": _xz,
    "bz2": bz2.compress,
    "zst": _zstd,
}
packers = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
packed = pytest.mark.parametrize("pack", [p for name, p in PACKERS.items() if name != "plain"])


def _read(chunks: list[Chunk]) -> bytes:
    return b"".join(chunk.lines for chunk in chunks)


@packers
@pytest.mark.parametrize("members", [1, 3])
def test_members_one_after_another_are_one_text(tmp_path: Path, pack: Callable[[bytes], bytes], members: int) -> None:
    file = tmp_path / "mail.log.1"
    file.write_bytes(pack(LINES) * members)
    chunks = list(archive(str(file)))
    assert _read(chunks) == LINES * members
    assert chunks[-1].after.offset == len(LINES) * members
    assert chunks[-1].after.shape is Shape.ARCHIVE
    assert not any(chunk.note for chunk in chunks)


def test_padding_between_members_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "mail.log.xz"
    file.write_bytes(_xz(LINES) + bytes(70_000) + _xz(LINES) + bytes(8))
    chunks = list(archive(str(file)))
    assert _read(chunks) == LINES * 2
    assert not any(chunk.note for chunk in chunks)


@pytest.mark.parametrize("pack", [gzip.compress, _xz, bz2.compress], ids=["gz", "xz", "bz2"])
def test_what_is_no_member_behind_one_is_said(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "mail.log.1"
    file.write_bytes(pack(LINES) + b"Nov 24 10:00:00 mx1 postfix/smtpd[1]: never packed\n")
    chunks = list(archive(str(file)))
    assert _read(chunks) == LINES
    assert "is damaged" in chunks[-1].note


@packers
def test_stopping_behind_any_chunk_loses_and_doubles_nothing(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "mail.log.1"
    long = LINES[:700] + b"x" * 100_000 + b"\n" + LINES[700:9000] + b"y" * 70_000 + b"\nlast"
    file.write_bytes(pack(long))
    whole = list(archive(str(file)))
    assert len(whole) > 4
    for n, chunk in enumerate(whole):
        rest = list(archive(str(file), chunk.after))
        assert _read(whole[: n + 1]) + _read(rest) == _read(whole)
        assert [one.offset for one in rest] == [one.offset for one in whole[n + 1 :]]


@packed
def test_an_archive_that_was_cut_off_gives_what_it_has(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    noise = b"".join(b"%d %d\n" % (n, n * 2654435761 % 2**61) for n in range(90_000))
    file = tmp_path / "mail.log.2.gz"
    squeezed = pack(noise)
    file.write_bytes(squeezed[: len(squeezed) * 3 // 4])
    chunks = list(archive(str(file)))
    assert noise.startswith(_read(chunks))
    assert len(_read(chunks)) > 100_000
    assert chunks[-1].note.startswith(f"{file} ends in the middle of its compressed data")
    assert chunks[-1].after.offset == len(_read(chunks))


@packed
def test_a_damaged_archive_ends_in_a_sentence(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "mail.log.2.gz"
    squeezed = bytearray(pack(LINES * 20))
    middle = len(squeezed) // 2
    squeezed[middle : middle + 40] = b"\xff" * 40
    file.write_bytes(squeezed)
    assert str(file) in list(archive(str(file)))[-1].note


def test_a_bomb_costs_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "mail.log.3.gz"
    with gzip.open(file, "wb", 1) as out:
        for _ in range(200):
            out.write(b"a" * 1_000_000)
        out.write(b"\nafter\n")
    tracemalloc.start()
    chunks = list(archive(str(file)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40_000_000
    assert chunks[0].note == "a line of 200000000 bytes was cut at 65536"
    assert chunks[-1].lines == b"after\n"


def test_another_file_of_that_name_is_read_from_its_start(tmp_path: Path) -> None:
    file = tmp_path / "mail.log.1"
    file.write_bytes(LINES)
    after = list(archive(str(file)))[-1].after
    file.write_bytes(b"other\n")
    chunks = list(archive(str(file), after))
    assert _read(chunks) == b"other\n"
    assert chunks[0].note == f"{file} is not the file that was read before: read from its start"


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotLook, match="does not exist"):
        list(archive(str(tmp_path / "none")))
    with pytest.raises(CannotLook, match="is no file"):
        list(archive(str(tmp_path)))


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    file = tmp_path / "mail.log"
    file.touch()
    assert list(archive(str(file))) == []
