"""Work that would keep the interpreter from everything else, done in a process of its own and handed back.

The engine of the lake holds the lock of the interpreter for seconds at a time; whoever must answer within one cannot
share a process with it. What it took of memory is given back when it ends, too.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import TypeVar

from gatepost.errors import CannotLook, GatepostError

Given = TypeVar("Given")
EASY = 10  # added to the nice value: whatever is live goes first
PATIENCE = 3600.0  # seconds
POLL = 0.2
ENDED = -15  # exit status of a process that was told to end


def apart(work: Callable[..., Given], *arguments: object, stop: threading.Event | None = None) -> Given:
    """The result of a function of a module, called elsewhere. What it raises on purpose is raised here.

    Raises CannotLook when the process failed, or was told to end because of `stop`.
    """
    asked = pickle.dumps((work.__module__, work.__name__, arguments))
    with subprocess.Popen(
        (sys.executable, "-m", "gatepost.edge.apart"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # ctrl-C is for us: we tell it to end
    ) as process:
        said = _said(process, asked, stop)
    if process.returncode:
        why = "it was stopped" if process.returncode == ENDED else f"it ended with {process.returncode}"
        raise CannotLook(f"{work.__name__} was done in a process apart, and {why}")
    result = pickle.loads(said)  # noqa: S301 - between two processes of ours, over pipes that nobody else holds
    if isinstance(result, GatepostError):
        raise result
    return result  # type: ignore[no-any-return]  # of the function that was named


def _said(process: subprocess.Popen[bytes], asked: bytes, stop: threading.Event | None) -> bytes:
    waited = 0.0
    given: bytes | None = asked
    while True:
        try:
            return process.communicate(given, timeout=POLL)[0]
        except subprocess.TimeoutExpired:
            given = None  # it was handed over at the first try
            waited += POLL
        if (stop is not None and stop.is_set()) or waited > PATIENCE:
            process.terminate()


def main() -> None:
    """In the process apart."""
    os.nice(EASY)
    module, name, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 - as above
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else may write between
    try:
        result = getattr(import_module(module), name)(*arguments)
    except GatepostError as error:
        result = error
    with out:
        out.write(pickle.dumps(result))


if __name__ == "__main__":
    main()
