"""What a command costs: seconds, processor time, memory, and connections as the kernel counts them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

TABLE = "gatepost_bench"  # our own nftables table: counters only, no verdicts


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu` is user and system time of the whole process tree; `connections` None where nobody counted.

    `last` is the last line it said, for when it fails.
    """

    wall: float
    cpu: float
    megabytes: float
    status: int
    connections: int | None = None
    last: str = ""


def run(command: Sequence[str], limit: float, env: Mapping[str, str] | None = None) -> Cost:
    """Runs it to its end. After `limit` seconds it is killed (status -9)."""
    began = time.monotonic()
    with TemporaryDirectory(prefix="gatepost-bench-") as folder, Path(folder, "output").open("w+b") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **(env or {})}
        )
        watch = threading.Timer(limit, process.kill)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        watch.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode("utf-8", "replace").strip().splitlines()
    wall = time.monotonic() - began
    return Cost(
        wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode, last=said[-1] if said else ""
    )


class Counter:
    """SYNs sent to one address, counted by nftables; without nft or root, nobody counts."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.works = shutil.which("nft") is not None and os.geteuid() == 0

    def __enter__(self) -> Self:
        if self.works:
            self.works = _nft(
                f"add table ip {TABLE}; flush table ip {TABLE};"
                f"add chain ip {TABLE} out {{ type filter hook output priority 0; policy accept; }};"
                f"add rule ip {TABLE} out ip daddr {self.address} tcp flags & (syn | ack) == syn counter"
            )
        return self

    def __exit__(self, *_error: object) -> None:
        if self.works:
            _nft(f"delete table ip {TABLE}")

    def count(self) -> int | None:
        """How many since the block began."""
        if not self.works:
            return None
        listed = subprocess.run(
            ["nft", "--json", "list", "table", "ip", TABLE], capture_output=True, text=True, check=True
        ).stdout
        rules = [row["rule"] for row in json.loads(listed)["nftables"] if "rule" in row]
        return sum(int(e["counter"]["packets"]) for rule in rules for e in rule["expr"] if "counter" in e)


def _nft(script: str) -> bool:
    done = subprocess.run(["nft", "-f", "-"], input=script, text=True, capture_output=True, check=False)
    return done.returncode == 0
