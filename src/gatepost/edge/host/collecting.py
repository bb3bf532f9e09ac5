"""Taking from a host what its witness needs: a few visits, nothing written there, no secret brought home.

Secrets that a configuration holds are masked before anything enters the bundle; private keys are not read at all: the
host's own openssl tells their public half.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets as chance
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gatepost.edge.host.runner import Runner
from gatepost.edge.host.script import Question, answers, begun, pattern, script
from gatepost.errors import CannotLook
from gatepost.model.architecture import Host
from gatepost.model.bundle import Bundle, FileTaken, Ran
from gatepost.servers.asking import FIREWALL, File, Questions, Wanted, questions
from gatepost.servers.files import NOT_REGULAR
from gatepost.servers.secrets import masked_text

ROUNDS = 8  # includes of includes; four are usual
WHOLE = 180.0  # seconds for one visit
LARGEST_RULES = 24 * 1024 * 1024  # bytes: ten thousand rules take four million
LARGEST_OUTPUT = 2 * 1024 * 1024
LARGEST_TEXT = 1024 * 1024
MOST_ODD = 0.05  # of the letters, before a file is taken for a program or a picture
MOST_MATCHES = 100  # files that one pattern may bring
TALKATIVE = frozenset({"postconf", "postfix", "doveconf", "exim"})  # what they print is the configuration


def collect(runner: Runner, host: Host, now: datetime) -> Bundle:
    """Raises CannotLook when the host cannot be reached."""
    bundle = Bundle(host.name, now, runner.where)
    asked: frozenset[File] = frozenset()
    for _ in range(ROUNDS):
        wanted = questions(bundle, host, asked)
        if not wanted:
            break
        bundle = _visited(runner, bundle, wanted)
        asked |= frozenset(wanted.files)
    return bundle


def _visited(runner: Runner, bundle: Bundle, wanted: Questions) -> Bundle:
    takes = [_take(file) for file in wanted.files]
    every = [Question(argv, _largest(argv)) for argv in wanted.commands]
    every += [question for take in takes for question in take.questions]
    mark = f"gatepost-{chance.token_hex(8)}"
    ran = runner.run(("sh", "-s"), stdin=script(every, mark), patience=WHOLE)
    if not begun(ran.stdout, mark):
        last = ran.stderr.strip().splitlines()
        raise CannotLook(f"{runner.where}: {ran.why or (last[-1] if last else 'it did not run our script')}")
    told = list(answers(ran.stdout, every, mark, ran.why))
    commands = [_masked(one) for one in told[: len(wanted.commands)]]
    left = iter(told[len(wanted.commands) :])
    files = {file.path: file for file in bundle.files}
    for take in takes:
        for taken in take.read([next(left) for _ in take.questions]):
            files[taken.path] = _richer(files.get(taken.path), taken)
    return replace(bundle, ran=(*bundle.ran, *commands), files=tuple(files.values()))


def _largest(argv: tuple[str, ...]) -> int:
    return LARGEST_RULES if argv in FIREWALL else LARGEST_OUTPUT


def _masked(ran: Ran) -> Ran:
    """Half an answer is none, and only makes the bundle large."""
    if ran.why:
        return replace(ran, stdout="", stderr=masked_text(ran.stderr))
    if ran.argv[0] not in TALKATIVE:
        return ran
    return replace(ran, stdout=masked_text(ran.stdout), stderr=masked_text(ran.stderr))


def _richer(before: FileTaken | None, after: FileTaken) -> FileTaken:
    """A file that was asked for twice keeps its text, and what was said of its key."""
    if before is None:
        return after
    text = after.text if after.text is not None else before.text
    return replace(after, text=text, note=after.note or before.note)


@dataclass(frozen=True, slots=True)
class _Take:
    """The questions that bring one file, or those that fit a pattern."""

    file: File
    questions: tuple[Question, ...]

    def read(self, ran: Sequence[Ran]) -> Iterator[FileTaken]:
        if _is_pattern(self.file.path):
            yield from _matches(ran[0], self.file)
            return
        taken = _state(self.file.path, ran[0])
        if taken.exists and self.file.wanted is Wanted.TEXT:
            taken = _with_text(taken, ran[1], self.file.dialect)
        if taken.exists and self.file.wanted is Wanted.PEM:
            taken = replace(taken, text=masked_text(ran[1].stdout), note=_public(ran[2].stdout), why=_no_key(ran[2]))
        yield taken


def _take(file: File) -> _Take:
    if _is_pattern(file.path):
        each = _EACH.replace("PATTERN", pattern(file.path))
        return _Take(file, (Question(("sh", "-c", each), MOST_MATCHES * LARGEST_TEXT // 10),))
    found = [Question(("sh", "-c", _STAT, "sh", file.path), 4096)]
    if file.wanted is Wanted.TEXT:
        found.append(Question(_plainly("cat", "--", file.path), LARGEST_TEXT))
    if file.wanted is Wanted.PEM:
        show = ("sed", "-n", "-e", _KEYS, "-e", _CERTIFICATES, "--", file.path)
        found.append(Question(_plainly(*show), LARGEST_TEXT))
        found.append(Question(_plainly("openssl", "pkey", "-passin", "pass:", "-pubout", "-in", file.path), 65536))
    return _Take(file, tuple(found))


def _plainly(*words: str) -> tuple[str, ...]:
    """The last word is the file. A pipe would be waited for, and there are devices that act when they are opened."""
    return ("sh", "-c", _REGULAR, "sh", words[-1], *words)


def _is_pattern(path: str) -> bool:
    return any(letter in path for letter in "*?[")


def _state(path: str, ran: Ran) -> FileTaken:
    words = ran.stdout.split()
    if not ran.ok or len(words) != 5 or not re.fullmatch(r"[0-7]{1,6}", words[0]):
        gone = "No such file" in ran.stderr or "Not a directory" in ran.stderr
        told = ran.why or ran.stderr.strip().rpartition(": ")[2] or "its state could not be read"
        return FileTaken(path, exists=False, why="" if gone else told[:200])
    size, seconds = (int(word[:15]) if word.isascii() and word.isdecimal() else 0 for word in words[3:])
    modified = datetime.fromtimestamp(min(seconds, _LATEST), UTC)
    return FileTaken(path, True, int(words[0], 8) & 0o7777, words[1], words[2], size, modified)


_LATEST = 253402300799  # seconds: the end of the year 9999


def _with_text(taken: FileTaken, ran: Ran, dialect: str) -> FileTaken:
    if not ran.ok:
        return replace(taken, why=(ran.why or ran.stderr.strip().rpartition(": ")[2] or "it could not be read")[:200])
    odd = "\0" in ran.stdout or "\ufffd" in ran.stdout
    text = _legible(ran.stdout)
    kept = None if text is None else masked_text(text, folded=dialect == "postfix")
    return replace(taken, text=kept, why="not a text file in UTF-8" if odd else "")


def _legible(text: str) -> str | None:
    """A crash leaves zero bytes at the end of a file, and a comment an odd letter: the rest is still worth reading."""
    kept = text.rstrip("\0")
    if kept.count("\0") + kept.count("\ufffd") > len(kept) * MOST_ODD:
        return None
    return kept.replace("\0", "\ufffd")


def _matches(ran: Ran, file: File) -> Iterator[FileTaken]:
    """Blocks of a line with the path, a line with the state, and lines with base64."""
    lines = iter(ran.stdout.splitlines())
    for path in lines:
        state = Ran((), 0, next(lines, ""))
        encoded: list[str] = []
        for line in lines:
            if not line:
                break
            encoded.append(line)
        try:
            text = base64.b64decode("".join(encoded), validate=True).decode(errors="replace")
        except (binascii.Error, ValueError):
            continue
        taken = _state(path, state)
        if taken.exists:
            yield _with_text(taken, Ran((), 0, text), file.dialect)


def _public(pem: str) -> str:
    """SHA-256 of the SubjectPublicKeyInfo that openssl wrote; empty when it wrote none."""
    found = re.search(r"-----BEGIN PUBLIC KEY-----(.*?)-----END PUBLIC KEY-----", pem, re.DOTALL)
    try:
        der = base64.b64decode("".join(found.group(1).split()), validate=True) if found else b""
    except (binascii.Error, ValueError):
        return ""
    return hashlib.sha256(der).hexdigest() if der else ""


def _no_key(ran: Ran) -> str:
    if ran.absent:
        return "openssl is not on the host, and a key is not read without it"
    return ran.why or (ran.stderr.strip() if ran.code == _ODD else "")


_ODD = 66
_REGULAR = f"""\
[ ! -e "$1" ] || [ -f "$1" ] || {{ echo "{NOT_REGULAR}" >&2; exit {_ODD}; }}
shift
exec "$@"
"""
_STAT = """\
stat -L -c '%a %U %G %s %Y' -- "$1" && exit 0
stat -L -f '%Lp %Su %Sg %z %m' "$1" 2> /dev/null
"""
_EACH = f"""\
code=base64 n=0
command -v base64 > /dev/null 2>&1 || code="openssl base64"
for f in PATTERN; do
  [ -f "$f" ] || continue
  n=$((n + 1)); [ $n -le {MOST_MATCHES} ] || break
  printf '%s\\n' "$f"
  stat -L -c '%a %U %G %s %Y' -- "$f" 2> /dev/null || stat -L -f '%Lp %Su %Sg %z %m' "$f" 2> /dev/null || echo
  head -c {LARGEST_TEXT} < "$f" | $code
  echo
done
"""
_KEYS = "/-----BEGIN [A-Z ]*PRIVATE KEY-----/,/-----END [A-Z ]*PRIVATE KEY-----/d"
_CERTIFICATES = "/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p"
