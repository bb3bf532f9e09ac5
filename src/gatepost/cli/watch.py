"""`gatepost watch`: follows the logs of all mail ports, sees attacks, blocks them and tells of them."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from gatepost.cli import options as o
from gatepost.cli.declared import DEFAULT_STATE

if TYPE_CHECKING:
    from gatepost.detect.rule import Rule
    from gatepost.edge.host.runner import Ways
    from gatepost.edge.lake.lake import Lake
    from gatepost.edge.logs.sources import Reading
    from gatepost.edge.watch.beside import Asking, Telling
    from gatepost.edge.watch.delivery import Courier
    from gatepost.edge.watch.loop import Decide, Decided, Watch
    from gatepost.edge.watch.noticing import Noticing
    from gatepost.edge.watch.wall import Wall
    from gatepost.model.alert import Alert, Block
    from gatepost.model.architecture import Architecture, Host
    from gatepost.model.log import Chunk, Position

DOING = "What to do"
TEXTFILE = 15.0  # seconds
LATEST = 200  # sentences kept for the view


def watch(
    config: o.Declaration = None,
    once: Annotated[
        bool,
        typer.Option("--once", help="Take what is new, decide about the last day, and end.", rich_help_panel=DOING),
    ] = False,
    block: Annotated[
        bool,
        typer.Option(
            "--block", help="Carry blocks out, as block = true in the declaration does.", rich_help_panel=DOING
        ),
    ] = False,
    dry: Annotated[
        bool,
        typer.Option("--dry-run", help="Only say what would be blocked, whatever is declared.", rich_help_panel=DOING),
    ] = False,
    every_port: Annotated[
        bool,
        typer.Option("--all-ports", help="Shut all ports, not only the declared mail ports.", rich_help_panel=DOING),
    ] = False,
    campaigns: Annotated[
        bool,
        typer.Option("--campaigns", help="Also block addresses of large campaigns one by one.", rich_help_panel=DOING),
    ] = False,
    test_delivery: Annotated[
        bool, typer.Option("--test-delivery", help="Send a test to everybody who is told of alerts, and end.")
    ] = False,
    unit: Annotated[bool, typer.Option("--print-unit", help="Print a unit for systemd, and end.")] = False,
    textfile: Annotated[
        Path | None,
        typer.Option("--textfile", metavar="FILE", help="Figures for node-exporter, beside those for Prometheus."),
    ] = None,
    state: Annotated[
        Path, typer.Option("--state", metavar="DIR", help="Where lake, ledger and queue are kept.")
    ] = DEFAULT_STATE,
) -> None:
    """Follow the logs of all mail ports as one: see attacks, block them, tell of them, keep everything.

    Nothing is blocked without `block = true` in the declaration or --block: what would be is said.
    SIGHUP reads the declaration again; SIGTERM ends with everything kept.

    [bold]Exit:[/bold] 0 ended, 1 alerts (with --once) or a test that was not taken, 2 bad input, 3 nothing to read.
    """
    from gatepost.cli.declared import load
    from gatepost.errors import UsageError

    if block and dry:
        raise UsageError("--block and --dry-run contradict each other")
    if unit:
        from gatepost.cli.units import text

        sys.stdout.write(text(config, state))
        return
    if test_delivery:
        raise typer.Exit(_test(load(config)))
    signals = _Signals()
    noticing: Noticing | None = None
    architecture = load(config)
    while True:
        carry = (block or architecture.watching.block) and not dry
        with _Session(architecture, state, config, signals) as session:
            noticing = session.noticing(noticing)
            found = session.run(
                noticing, once=once, carry=carry, every_port=every_port, campaigns=campaigns, textfile=textfile
            )
        if not signals.again:
            break
        architecture = _again(architecture, config)
    if once and found:
        raise typer.Exit(1)


def _again(before: Architecture, config: Path | None) -> Architecture:
    """A mistake in an edited file ends no watch: what was declared before goes on, and it is said."""
    from gatepost.cli.declared import load
    from gatepost.errors import UsageError
    from gatepost.report.escape import printable

    try:
        return load(config)
    except UsageError as error:
        for line in str(error).splitlines():
            sys.stderr.write(f"gatepost: {printable(line)}\n")
        sys.stderr.write("gatepost: the declaration is kept as it was\n")
        return before


class _Signals:
    """SIGTERM and SIGINT end, SIGHUP begins anew."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.again = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._take)

    def begin(self) -> None:
        self.again = False
        self.stop.clear()

    def _take(self, number: int, _frame: object) -> None:
        self.again = number == signal.SIGHUP
        self.stop.set()


class _Session:
    """One reading of the declaration, and everything that is open for it."""

    def __init__(self, architecture: Architecture, state: Path, config: Path | None, signals: _Signals) -> None:
        self.architecture, self.state, self.signals = architecture, state, signals
        self.here = config.parent if config else Path()
        self.stack = ExitStack()
        self.said: list[str] = []
        self.beside: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.signals.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def noticing(self, before: Noticing | None) -> Noticing:
        from gatepost.edge.watch.noticing import Noticing

        rules = _rules(self.architecture, self.here, self._say)
        if before is None:
            return Noticing(rules)
        before.ruled_by(rules)
        return before

    def run(
        self, noticing: Noticing, *, once: bool, carry: bool, every_port: bool, campaigns: bool, textfile: Path | None
    ) -> int:
        """How many alerts were raised."""
        from gatepost.edge.host.runner import Ways
        from gatepost.edge.lake.lake import Lake
        from gatepost.edge.watch import delivery, ledger, loop
        from gatepost.edge.watch.beside import Asking, Homes, Telling
        from gatepost.edge.watch.blocks import Blocks
        from gatepost.edge.watch.metrics import Metrics
        from gatepost.edge.watch.milder import asking_policyd
        from gatepost.edge.watch.posting import Poster

        watching, enter = self.architecture.watching, self.stack.enter_context
        lake = enter(Lake.open(self.state / "lake", write=True))
        book, ways = enter(ledger.opened(self.state)), enter(Ways())
        poster = Poster(socket.gethostname())
        courier = enter(delivery.opened(self.state, watching.deliver, poster))
        walls, decide = self._deciding(ways, carry=carry, every_port=every_port, campaigns=campaigns)
        metrics = Metrics()
        from gatepost.edge.logs.opening import live_clock

        homes = Homes(lake)
        watch = loop.Watch(
            lake, noticing, Blocks(book, walls, dry=not carry), courier, metrics, decide, live_clock(watching.zone),
            history=homes, told=self._say,
            milder=asking_policyd(self.state, watching.block_seconds, carry=carry),
        )  # fmt: skip
        if watching.metrics:
            self.stack.callback(metrics.serve(watching.metrics).close)
        chunks = self._chunks(lake, once=once)
        telling = Telling(self.state, watching.deliver, poster, self.signals.stop)
        asking = Asking(
            lake, self.state, watching, noticing.rules, self.signals.stop, keep=watch.keeping.commit, learn=homes.learn
        )
        if not once:
            self._beside(telling.run, asking.run)
        mode = "blocks are carried out" if carry else "blocks are only told (--block carries them out)"
        with _shown(watch, self.said, carry=carry) as show:
            tick = _ticker(watch, asking, telling, textfile, show)
            loop.run(watch, chunks, self.signals.stop, tick, lambda: self._ready(f"watching; {mode}"))
        if once:
            self._once(watch, asking, telling, courier)
        elif self._settled():
            asking.last()
        if textfile:
            metrics.write(textfile)
        return watch.tally.alerts

    def _ready(self, said: str) -> None:
        from gatepost.edge.watch.notify import Notify

        Notify().say("READY=1", "STATUS=following the logs")
        self._say(said)

    def _once(self, watch: Watch, asking: Asking, telling: Telling, courier: Courier) -> None:
        from gatepost.cli.now import now

        asking.once()
        _heard(watch, asking)
        watch.act(now())
        telling.once(courier)

    def _beside(self, *running: Callable[[], None]) -> None:
        """They end with `stop`, and are waited for before anything closes."""
        for one in running:
            thread = threading.Thread(target=one, daemon=True)
            thread.start()
            self.beside.append(thread)
            self.stack.callback(thread.join, 30)
        self.stack.callback(self.signals.stop.set)

    def _settled(self) -> bool:
        """Those beside have ended, as they were told to."""
        for thread in self.beside:
            thread.join(30)
        return not any(thread.is_alive() for thread in self.beside)

    def _deciding(
        self, ways: Ways, *, carry: bool, every_port: bool, campaigns: bool
    ) -> tuple[dict[str, tuple[Wall, Host]], Decide]:
        from gatepost.cli.barring import sparing, walls
        from gatepost.errors import GatepostError
        from gatepost.watch import decide

        try:
            raised = walls(self.architecture, ways, every_port=every_port)
            spared = sparing(self.architecture, raised)
        except GatepostError:
            if carry:
                raise
            raised, spared = {}, sparing(self.architecture, {})  # a rehearsal needs no host

        def decided(alerts: Sequence[Alert], blocks: Sequence[Block], now: int, together: str) -> Decided:
            from dataclasses import replace

            return decide(
                alerts, blocks, self.architecture, now, dry=not carry, campaigns=campaigns,
                sparing=replace(spared, together=together),
            )  # fmt: skip

        return raised if carry else {}, decided

    def _chunks(self, lake: Lake, *, once: bool) -> Iterator[Chunk]:
        from gatepost.edge.host import here
        from gatepost.edge.logs.opening import sources
        from gatepost.edge.logs.sources import together
        from gatepost.errors import CannotLook
        from gatepost.model.architecture import Host

        away = ("ssh", "docker")
        hosts = [
            host
            for host in self.architecture.hosts
            if (here.way(host) == "local" or host.logs) and not here.way(host).startswith(away)
        ]
        readings = [
            one
            for host in hosts or [Host("this machine", (), ())]
            for one in sources(host, self.architecture, lake.position, self.signals.stop)
        ]
        for host in self.architecture.hosts:
            if host not in hosts:
                self._say(f"{host.name}: its logs are not on this machine; run the watch there, or send them by syslog")
        readings += self._of_policyd(lake)
        unique = tuple({one.name: one for one in readings}.values())
        self._say(f"reading {', '.join(one.name for one in unique)}")
        if not once:
            return together(unique, self.signals.stop)
        files = [one for one in unique if one.name.startswith("/")]
        if not files:
            raise CannotLook("--once reads files, and there is none: name them as logs of a host")
        return (chunk for one in files for chunk in _there(one.name, one.position, self.signals.stop))

    def _of_policyd(self, lake: Lake) -> list[Reading]:
        """Its own record tells port and TLS of each attempt; it is followed once it is there."""
        from functools import partial

        from gatepost.edge.logs.sources import Reading, follow
        from gatepost.edge.policing.bench import RECORD

        path = str((self.state / RECORD).resolve())
        if not Path(path).is_file():
            return []
        return [Reading(path, partial(follow, path, stop=self.signals.stop), lake.position(path))]

    def _say(self, said: str) -> None:
        """Kept for the view; on a pipe, a line each."""
        from gatepost.report.escape import printable

        self.said.append(said)
        del self.said[:-LATEST]
        if not sys.stdout.isatty():
            sys.stdout.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {printable(said)}\n")
            sys.stdout.flush()


def _there(path: str, position: Position | None, stop: threading.Event) -> Iterator[Chunk]:
    """What was written since, also into files that were rotated away meanwhile. Raises CannotLook without a log."""
    from gatepost.edge.logs.archives import archive
    from gatepost.edge.logs.following import follow

    if Path(path).exists():
        return follow(path, position, stop, once=True)
    return archive(path, position)


def _rules(architecture: Architecture, here: Path, say: Callable[[str], None]) -> tuple[Rule, ...]:
    """Ours, and the operator's own, beside the declaration. One that cannot be read is said and left out."""
    from gatepost.edge.watch import rulefiles

    loaded = rulefiles.read(architecture.watching, here)
    for problem in loaded.problems:
        say(f"rule left out: {problem}")
    return loaded.rules


def _ticker(
    watch: Watch, asking: Asking, telling: Telling, textfile: Path | None, show: Callable[[], None]
) -> Callable[[int], None]:
    from gatepost.edge.watch.notify import Notify

    notify, written, raised = Notify(), [0.0], [0]

    def tick(_now: int) -> None:
        now = time.monotonic()
        if watch.tally.alerts != raised[0]:
            raised[0] = watch.tally.alerts
            asking.raised.set()
        _heard(watch, asking)
        while not asking.said.empty():
            watch.told(asking.said.get())
        watch.metrics.failing.set(len(telling.troubles))
        notify.alive(now)
        if textfile and now - written[0] > TEXTFILE:
            written[0] = now
            watch.metrics.write(textfile)
        show()

    return tick


def _heard(watch: Watch, asking: Asking) -> None:
    """What the slow rules found, handed to the loop."""
    while not asking.found.empty():
        watch.noticing.add(asking.found.get())


@contextmanager
def _shown(watch: Watch, said: list[str], *, carry: bool) -> Iterator[Callable[[], None]]:
    """A view that is drawn anew on a terminal, nothing on a pipe: there every sentence is a line."""
    if not sys.stdout.isatty():
        yield lambda: None
        return
    from rich.live import Live

    from gatepost.cli import telling
    from gatepost.report.looking import view

    begun, drawn = time.monotonic(), [0.0]
    with Live(auto_refresh=False, transient=False) as live:

        def show() -> None:
            now = time.monotonic()
            if now - drawn[0] < 0.5:
                return
            drawn[0] = now
            tally = watch.tally
            live.update(
                view(
                    lines=tally.lines, rate=tally.lines / max(now - begun, 1), services=tally.by_service,
                    alerts=tally.alerts, blocks=tally.blocks, refused=tally.refused,
                    standing=len(watch.blocks.ledger.standing(time.time_ns() // 1000)), dry=not carry, notes=said,
                    width=telling.width(),
                ),
                refresh=True,
            )  # fmt: skip

        yield show


def _test(architecture: Architecture) -> int:
    from datetime import UTC, datetime

    from gatepost.declaration.places import masked
    from gatepost.edge.watch.posting import Poster
    from gatepost.errors import UsageError
    from gatepost.report.watching import trial

    places = architecture.watching.deliver
    if not places:
        raise UsageError("nobody is told of alerts: name them in deliver under [watch]")
    host = socket.gethostname()
    failed = 0
    for where in places:
        shown = masked(where.to)
        why = Poster(host).post(where, trial(host, shown), datetime.now(UTC))
        failed += bool(why)
        sys.stdout.write(f"{shown}: {why or 'taken'}\n")
    return int(failed > 0)
