"""The demo's world in a thread of its own, so that the audit meets it over real sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from gatepost.demo.world import World, demo_world
from gatepost.errors import CannotLook


@dataclass(frozen=True, slots=True)
class Stage:
    """What the audit needs to be told. `ports` keeps the sweep away from the rest of this machine."""

    declaration: Path
    ca: Path
    domains: tuple[str, ...]
    ports: str
    https: int
    state: Path | None


@contextmanager
def running(keep: Path | None) -> Iterator[Stage]:
    """Servers up while the block runs. Files go to `keep`, or to a directory that is removed afterwards."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        with aside(demo_world(keep)) as world:
            yield _stage(world)
        return
    with TemporaryDirectory(prefix="gatepost-demo-") as directory, aside(demo_world(Path(directory))) as world:
        yield _stage(world)


def _stage(world: World) -> Stage:
    ports = ",".join(str(port) for port in sorted(world.ports))
    return Stage(world.declaration, world.ca, world.domains, ports, world.https, world.state)


@contextmanager
def aside(world_: AbstractAsyncContextManager[World]) -> Iterator[World]:
    """A world in a thread and an event loop of its own while the block runs."""
    ready = threading.Event()
    box: list[World] = []
    failure: list[BaseException] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with world_ as world:
            box.append(world)
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except Exception as error:  # noqa: BLE001 - told to the caller below
            failure.append(error)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, name="gatepost-demo", daemon=True)
    thread.start()
    ready.wait(timeout=30)
    if failure or not box:
        raise CannotLook(f"the demo could not start: {failure[0] if failure else 'no answer within 30 s'}")
    try:
        yield box[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
