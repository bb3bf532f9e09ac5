"""Figures for Prometheus: what was read and understood, what was found and done, and how far behind we are.

A registry of our own, so that a process with two watches, or a test, counts apart.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest, start_http_server

from gatepost.errors import UsageError, because
from gatepost.model.event import MICROSECONDS
from gatepost.model.log import Coverage


@dataclass(slots=True)
class Metrics:
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        one = self.registry
        self.lines = Counter("gatepost_log_lines", "Lines read, by daemon.", ["daemon"], registry=one)
        self.understood = Counter("gatepost_log_lines_understood", "Lines understood.", ["daemon"], registry=one)
        self.coverage = Gauge(
            "gatepost_log_coverage_ratio", "Share of lines about authentication that are understood.", ["daemon"],
            registry=one,
        )  # fmt: skip
        self.alerts = Counter("gatepost_alerts", "Alerts raised.", ["severity", "rule"], registry=one)
        self.blocks = Counter("gatepost_blocks", "Blocks decided.", ["result"], registry=one)
        self.standing = Gauge("gatepost_blocks_standing", "Addresses blocked now.", registry=one)
        self.lag = Gauge(
            "gatepost_log_lag_seconds", "From a line's own time to its reading, of the last.", registry=one
        )
        self.last = Gauge(
            "gatepost_log_last_line_timestamp_seconds", "Last line of a service.", ["service"], registry=one
        )
        self.commits = Counter("gatepost_lake_commits", "Commits to the lake.", registry=one)
        self.waiting = Gauge("gatepost_deliveries_waiting", "Alerts that wait to be told.", registry=one)
        self.failing = Gauge("gatepost_deliveries_failing", "Destinations that fail.", registry=one)

    lines: Counter = field(init=False)
    understood: Counter = field(init=False)
    coverage: Gauge = field(init=False)
    alerts: Counter = field(init=False)
    blocks: Counter = field(init=False)
    standing: Gauge = field(init=False)
    lag: Gauge = field(init=False)
    last: Gauge = field(init=False)
    commits: Counter = field(init=False)
    waiting: Gauge = field(init=False)
    failing: Gauge = field(init=False)

    def read(self, coverage: Iterable[Coverage]) -> None:
        """`coverage` is of what was read since the last time."""
        for one in coverage:
            daemon = one.daemon or "unknown"
            self.lines.labels(daemon).inc(one.lines)
            self.understood.labels(daemon).inc(one.understood)
            if one.auth:
                self.coverage.labels(daemon).set(one.auth_understood / one.auth)

    def line_of(self, service: str, at: int, now: int) -> None:
        self.last.labels(service or "unknown").set(at / MICROSECONDS)
        self.lag.set(max(0.0, (now - at) / MICROSECONDS))

    def text(self) -> str:
        return generate_latest(self.registry).decode()

    def serve(self, place: str) -> Serving:
        """Raises UsageError when nothing can listen there."""
        address, _, port = place.rpartition(":")
        try:
            server, thread = start_http_server(int(port), address.strip("[]"), self.registry)
        except OSError as error:
            raise UsageError(f"metrics at {place}: {because(error)}") from None
        return Serving(server, thread)

    def write(self, path: Path) -> None:
        """For node-exporter's textfile collector, which must never see half a file."""
        new = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            new.write_text(self.text(), encoding="utf-8")
            new.replace(path)
        except OSError as error:
            raise UsageError(f"{path}: {because(error)}") from None


@dataclass(slots=True)
class Serving:
    server: object
    thread: threading.Thread

    def close(self) -> None:
        for name in ("shutdown", "server_close"):
            getattr(self.server, name)()
        self.thread.join(5)
