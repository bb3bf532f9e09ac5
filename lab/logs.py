"""What reading a mail log into the lake costs, beside the tools that read the same log: `python -m lab.logs`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from gatepost.edge.lake.lake import Lake
from gatepost.edge.logs.scanner import scan, slowly
from gatepost.edge.logs.taking import take
from gatepost.model.log import Chunk, Clock, Position, Shape
from lab.maillog import Wanted, write
from lab.measure import Cost, run
from lab.places import PROJECT

LINES = 2_000_000
FEW = 100_000  # for those that are slow
CHUNK = 8 << 20
PATIENCE = 900.0
FILTERS = ("postfix", "postfix[mode=aggressive]", "dovecot")
CLOCK = Clock(1_796_083_200_000_000)  # 1 December 2026, after the last line


@dataclass(frozen=True, slots=True)
class Row:
    who: str
    lines: int
    cost: Cost

    @property
    def rate(self) -> float:
        """Lines for each second of processor time: other work on the machine changes it least."""
        return self.lines / max(self.cost.cpu, 0.001)


def bench_logs(lines: int = LINES) -> None:
    with TemporaryDirectory(prefix="gatepost-bench-") as folder:
        log, short = Path(folder, "mail.log"), Path(folder, "short.log")
        write(log, Wanted(lines, days=3))
        with log.open("rb") as whole:
            short.write_bytes(b"".join(next(whole) for _ in range(FEW)))
        rows = [
            Row("gatepost, scanned", lines, _ours("scan", log)),
            Row("gatepost, in the lake", lines, _ours("take", log, folder)),
            Row("gatepost, patterns alone", FEW, _ours("patterns", short)),
            *_peers(log, short, lines),
        ]
        _show(rows, sum(path.stat().st_size for path in Path(folder, "lake").rglob("*.parquet")) / lines)


def _ours(way: str, log: Path, folder: str = "") -> Cost:
    return run(
        (sys.executable, "-m", "lab.logs", way, str(log), folder), PATIENCE, {"PYTHONPATH": str(PROJECT / "src")}
    )


def _peers(log: Path, short: Path, lines: int) -> Iterator[Row]:
    if program := shutil.which("pflogsumm", path="/usr/bin:/usr/sbin"):
        yield Row("pflogsumm", lines, run((program, str(log)), PATIENCE))
    if program := shutil.which("fail2ban-regex"):
        for one in FILTERS:
            yield Row(f"fail2ban-regex {one}", FEW, run((program, str(short), one), PATIENCE))


def _show(rows: list[Row], stored: float) -> None:
    base = rows[1].rate
    print(f"\nmail log, {rows[0].lines:,} lines; {stored:.1f} bytes a line in the lake")
    for one in rows:
        failed = f"  failed: {one.cost.last}" if one.cost.status else ""
        print(
            f"  {one.who:42} {one.lines / one.cost.wall / 1000:8.0f} k/s {one.rate / 1000:8.0f} k per CPU-s"
            f" {one.cost.megabytes:6.0f} MB  {base / one.rate:7.1f} x{failed}"
        )


def chunks(path: Path) -> Iterator[Chunk]:
    begin = 0
    with path.open("rb", buffering=0) as file:
        rest = b""
        while read := file.read(CHUNK):
            text = rest + read
            end = text.rfind(b"\n") + 1
            rest = text[end:]
            yield Chunk(text[:end], begin, Position(str(path), Shape.ARCHIVE, "bench", begin + end))
            begin += end


def main(way: str, log: str, folder: str = "") -> None:
    if way == "take":
        with Lake.open(Path(folder, "lake"), write=True) as lake:
            taken = take(chunks(Path(log)), lake, CLOCK, seconds=3600)
        print(f"{taken.lines} lines, {sum(one.slow for one in taken.coverage)} by the patterns")
        return
    read = scan if way == "scan" else slowly
    for chunk in chunks(Path(log)):
        read(chunk.lines, CLOCK, 1, chunk.offset)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        main(*sys.argv[1:])
    else:
        bench_logs(*map(int, sys.argv[1:]))
