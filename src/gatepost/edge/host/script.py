"""Many questions to a host in one visit: a POSIX shell script on the standard input of `sh`, answers in frames.

Frames carry base64, so that nothing a command prints can be taken for a frame, and a truncated visit still tells what
it got. Each command has a time limit where the host has timeout(1), and a limit of output that ends it. It is killed at
once with all that it started: doveconf's own helpers outlive a softer word, keep the pipe open, and nothing more would
be answered. The script writes nothing on the host. It runs only when it arrived whole.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gatepost.model.bundle import NOT_FOUND, Ran

PATIENCE = 15  # seconds for one command on the host
LARGEST_COMPLAINT = 16384  # bytes of standard error kept, the last ones
TIMED_OUT = frozenset({124, 137, 143})  # timeout(1) of GNU and busybox, and its SIGKILL

_GLOB = re.compile(r"([*?]|\[[^\]/]*\])")


@dataclass(frozen=True, slots=True)
class Question:
    """One command. `shown` is what the answer is filed under."""

    argv: tuple[str, ...]
    largest: int  # bytes of output


def script(questions: Sequence[Question], mark: str, patience: int = PATIENCE) -> str:
    """`mark` begins every frame: a word nobody can guess. `patience` in seconds, for each question."""
    runs = "\n".join(f"run {n} {q.largest + 1} {shlex.join(q.argv)}" for n, q in enumerate(questions))
    return f"mark={mark} patience={patience}\nmain() {{\n{_BEGIN}\n{runs}\nprintf '%s end\\n' \"$mark\"\n}}\nmain\n"


def answers(output: str, questions: Sequence[Question], mark: str, why: str = "") -> Iterator[Ran]:
    """`why` tells why the visit ended early; then it is the reason of every answer that is missing."""
    frames = dict(_frames(output, mark))
    for number, question in enumerate(questions):
        if str(number) in frames:
            yield _ran(question, *frames[str(number)])
        else:
            yield Ran(question.argv, NOT_FOUND, why=why or "the host did not answer this")


def begun(output: str, mark: str) -> bool:
    return f"{mark} begin" in output


def _frames(output: str, mark: str) -> Iterator[tuple[str, tuple[bytes, bytes]]]:
    """Number of a question, what it wrote, and what it complained of with its exit status behind."""
    number, part = "", 0
    texts: list[list[str]] = [[], []]
    hexadecimal = f"{mark} begin hex" in output
    for line in output.splitlines():
        head, _, rest = line.partition(" ")
        if head != mark:
            texts[part].append(line)
            continue
        word, _, which = rest.partition(" ")
        if word == "run":
            number, part, texts = which, 0, [[], []]
        elif word == "said":
            part = 1
        elif word == "done" and number:
            decoded = [_decoded("".join(lines), hexadecimal=hexadecimal) for lines in texts]
            if decoded[0] is not None and decoded[1] is not None:
                yield number, (decoded[0], decoded[1])
            number, part, texts = "", 0, [[], []]


def _decoded(text: str, *, hexadecimal: bool) -> bytes | None:
    try:
        return bytes.fromhex(text) if hexadecimal else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def _ran(question: Question, out: bytes, said: bytes) -> Ran:
    complaint, _, status = said.decode(errors="replace").rpartition("\n")
    code = int(status) if status.isascii() and status.isdecimal() and len(status) < 4 else NOT_FOUND
    why = ""
    if len(out) > question.largest:
        why = f"more than {question.largest} bytes of output"
    elif code in TIMED_OUT:
        why = "no end within the time allowed"
    text = out[: question.largest].decode(errors="replace")
    return Ran(question.argv, code, text, complaint.strip("\n"), why)


def pattern(path: str) -> str:
    """A word of the shell in which only stars, question marks and brackets mean something."""
    return "".join(part if n % 2 else shlex.quote(part) for n, part in enumerate(_GLOB.split(path)) if part)


_BEGIN = f"""\
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
LC_ALL=C TZ=UTC0
export PATH LC_ALL TZ
unset MAIL_CONFIG DOVECONF_ENV 2> /dev/null
exec 4>&1
limit=
timeout 1 true 2> /dev/null && limit="timeout $patience"
timeout -s KILL 1 true 2> /dev/null && limit="timeout -s KILL $patience"
coding=base64 code=base64
if ! command -v base64 > /dev/null 2>&1; then coding=hex code="od -An -v -tx1"; fi
run() {{
  number=$1 largest=$2
  shift 2
  printf '%s run %s\\n' "$mark" "$number"
  said=$({{ {{
    {{ $limit "$@" < /dev/null 2>&3 3>&- 4>&-; printf '\\n%s' "$?" >&3; }} | head -c "$largest" | $code >&4
  }} 3>&1 | tail -c {LARGEST_COMPLAINT}; }} 2> /dev/null)
  printf '%s said\\n' "$mark"
  printf '%s' "$said" | $code
  printf '%s done\\n' "$mark"
}}
printf '%s begin %s\\n' "$mark" "$coding\""""
