"""What a look costs, in one run and as ratios: connections first, since servers limit those and pay for them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lab import peers
from lab.estate import Estate
from lab.large import bench_proofs
from lab.logs import bench_logs
from lab.lookups import bench_lookups
from lab.measure import Cost, Counter, run
from lab.places import PROJECT, state_root
from lab.reports import bench_reports
from lab.site import DOMAIN, Site
from lab.variants import variants
from lab.watching import bench_watching

ENDPOINTS = (25, 110, 143, 465, 587, 993, 995, 4190)
NET = "127.0.28"
GOOD = Site(f"good.{DOMAIN}", f"{NET}.1")
# What the packages do when nobody tells them otherwise: many suites, old versions on 465 and 587.
STOCK = Site(
    f"stock.{DOMAIN}",
    f"{NET}.2",
    postfix={
        0: {
            "smtpd_tls_mandatory_protocols": ">=TLSv1",
            "smtpd_tls_ciphers": "medium",
            "smtpd_tls_mandatory_ciphers": "medium",
            "tls_high_cipherlist": "aNULL:-aNULL:HIGH:@STRENGTH",
            "tls_medium_cipherlist": "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH",
            "tls_preempt_cipherlist": "no",
            "tls_ssl_options": "",
        }
    },
    dovecot="ssl_cipher_list = ALL:!kRSA:!SRP:!kDHd:!DSS:!aNULL:!eNULL:!EXPORT:!DES:!3DES:!MD5:!PSK:!RC4:!ADH:!LOW"
    "@STRENGTH\nssl_prefer_server_ciphers = no\nssl_dh = </usr/share/dovecot/dh.pem\n",
)
LIMITED = ("limited", "postscreen", "eight-logins")
CROWD = 200
PATIENCE = 1800.0


@dataclass(frozen=True, slots=True)
class Row:
    """`ports` is how many endpoints the cost is for."""

    who: str
    cost: Cost
    ports: int
    note: str = ""


def bench(*, install: bool, only: Sequence[str]) -> None:
    if install:
        peers.install()
    slow = tuple(replace(v.site, address=f"{NET}.{n}") for n, v in enumerate(_limited(), 10))
    estate = Estate(state_root() / "bench", (GOOD, STOCK, *slow), stock=True)
    estate.down()
    estate.up()
    try:
        for site in (GOOD, STOCK):
            _report(site.name, _compared(site, estate, only))
        _show("limits and patience", [_one(estate, site) for site in slow])
    finally:
        estate.down()
    _show(f"{CROWD} hosts, two endpoints each", _crowd())
    bench_lookups(install=install)
    bench_reports()
    bench_proofs()
    bench_logs()
    bench_watching()


def _limited() -> list[Any]:
    return [variant for variant in variants() if variant.name in LIMITED]


def _compared(site: Site, estate: Estate, only: Sequence[str]) -> list[Row]:
    rows = [
        _gatepost("gatepost", site, estate, ENDPOINTS),
        _gatepost("gatepost --inventory", site, estate, ENDPOINTS, "--inventory"),
    ]
    for peer in peers.PEERS:
        program = peer.program()
        if program is None:
            print(f"  {peer.name}: not installed (python -m lab bench --install-peers)")
        elif not only or peer.name in only:
            rows.append(_peer(peer, program, site, estate))
    return rows


def _gatepost(who: str, site: Site, estate: Estate, ports: Sequence[int], *options: str) -> Row:
    with TemporaryDirectory(prefix="gatepost-bench-") as folder, Counter(site.address) as counter:
        saved = Path(folder) / "run.json"
        command = (
            sys.executable, "-m", "gatepost", "audit", "--address", site.address, "--ca", str(estate.ca), "--quiet",
            "--ports", ",".join(map(str, ports)), "--format", "json", "-o", str(saved), *options, site.name,
        )  # fmt: skip
        cost = replace(run(command, PATIENCE, {"PYTHONPATH": str(PROJECT / "src")}), connections=counter.count())
        return Row(who, cost, len(ports), _judged(saved) if saved.is_file() else f"no result: {cost.last}")


def _judged(saved: Path) -> str:
    """Its own count beside the kernel's, the dearest endpoint, and what it could not see for a limit."""
    told = json.loads(saved.read_text())
    counts = told["connections"]
    limited = sorted({(u["at"]["port"], u["reason"]) for u in told["unobserved"] if u["reason"] != "not-asked"})
    missed = f"; not seen: {', '.join(f'{port} {reason}' for port, reason in limited)}" if limited else "; complete"
    return f"own count {sum(counts.values())}, at most {max(counts.values(), default=0)} per endpoint{missed}"


def _peer(peer: peers.Peer, program: str, site: Site, estate: Estate) -> Row:
    """All ports at once, which is how each is quickest; a slow one gets a single port."""
    goal = peers.Goal(site.name, site.address, estate.ca)
    ports = peer.ports[:1] if peer.slow else peer.ports
    with Counter(site.address) as counter, ThreadPoolExecutor(len(ports)) as pool:
        costs = list(pool.map(lambda port: run(peer.command(program, goal, port), PATIENCE), ports))
        counted = counter.count()
    whole = Cost(
        max(c.wall for c in costs), sum(c.cpu for c in costs), max(c.megabytes for c in costs),
        max(c.status for c in costs), counted,
    )  # fmt: skip
    return Row(peer.name, whole, len(ports), f"exits {sorted({c.status for c in costs})}")


def _one(estate: Estate, site: Site) -> Row:
    ports = (25,) if site.name.startswith(("limited", "postscreen")) else (110, 143, 993, 995, 4190)
    return _gatepost(site.name.partition(".")[0], site, estate, ports)


def _crowd() -> list[Row]:
    return [_hosts(1), _hosts(CROWD)]


def _hosts(count: int) -> Row:
    """Wall time per host has to stay what it is for one, and no host may be missing from the result."""
    with TemporaryDirectory(prefix="gatepost-bench-") as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "lab.crowd", folder, str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT,
        )  # fmt: skip
        try:
            assert server.stdout is not None  # noqa: S101 - asked for above
            server.stdout.readline()
            saved = Path(folder) / "run.json"
            command = (
                sys.executable, "-m", "gatepost", "audit", "-c", f"{folder}/gatepost.toml", "--ca", f"{folder}/ca.pem",
                "--ports", "10465,10993", "--quiet", "--format", "json", "-o", str(saved),
            )  # fmt: skip
            cost = run(command, PATIENCE, {"PYTHONPATH": str(PROJECT / "src")})
            note = _complete(saved, count) if saved.is_file() else f"no result: {cost.last}"
            return Row(f"{count} hosts", cost, 2 * count, note)
        finally:
            server.communicate()


def _complete(saved: Path, count: int) -> str:
    told = json.loads(saved.read_text())
    hosts = {key.partition(":")[0] for key in told["connections"]}
    verdicts = {outcome: sum(f["outcome"] == outcome for f in told["findings"]) for outcome in ("pass", "fail")}
    lost = sum(u["reason"] != "not-asked" for u in told["unobserved"])
    made = sum(told["connections"].values())
    return f"{len(hosts)} of {count} seen, {verdicts['fail']} failures, {lost} lost, {made} connections"


def _report(title: str, rows: list[Row]) -> None:
    """With how many times more each peer needs than gatepost at the depth it compares to."""
    _show(title, rows)
    conform, inventory, *others = rows
    for row in others:
        for ours in (conform, inventory):
            times = (row.cost.wall / row.ports) / (ours.cost.wall / ours.ports)
            print(f"  {row.who} takes {times:.1f} times the wall time of {ours.who}{_more(row, ours)}")


def _more(row: Row, ours: Row) -> str:
    if not row.cost.connections or not ours.cost.connections:
        return ""
    times = (row.cost.connections / row.ports) / (ours.cost.connections / ours.ports)
    cpu = (row.cost.cpu / row.ports) / (ours.cost.cpu / ours.ports)
    return f", {times:.1f} times the connections, {cpu:.1f} times the processor time (per endpoint)"


def _show(title: str, rows: list[Row]) -> None:
    print(f"\n{title}")
    print(f"  {'':22}{'ports':>6}{'wall s':>9}{'cpu s':>8}{'MB':>6}{'connections':>13}{'each':>7}")
    for row in rows:
        cost = row.cost
        made = "" if cost.connections is None else str(cost.connections)
        each = "" if cost.connections is None else f"{cost.connections / row.ports:.0f}"
        print(
            f"  {row.who:22}{row.ports:>6}{cost.wall:>9.1f}{cost.cpu:>8.1f}{cost.megabytes:>6.0f}{made:>13}{each:>7}"
            f"  {row.note}"
        )
