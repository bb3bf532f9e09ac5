"""Bundles in a file: what `gatepost collect` took, to be read by another gatepost or by whoever wants to know.

Such a file may come from anywhere: it is read strictly, within bounds, and whatever is wrong with it is one sentence.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from gatepost.errors import UsageError, because
from gatepost.model.bundle import Bundle, FileTaken, Ran

SCHEMA = "gatepost/bundle/1"
LARGEST = 128 * 1024 * 1024  # octets
MOST_HOSTS = 1000
MOST_PARTS = 5000  # commands or files of one host

_Line = Annotated[str, Field(max_length=4096)]


def save(bundles: Bundle | Sequence[Bundle], path: Path) -> None:
    """Readable by its owner only, whole or not at all. Raises UsageError."""
    text = dumps([bundles] if isinstance(bundles, Bundle) else bundles)
    try:
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".partial")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(partial).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(partial).unlink()
            raise
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None


def dumps(bundles: Sequence[Bundle]) -> str:
    """Readable by people too: one value a line."""
    whole = {"schema": SCHEMA, "bundles": [asdict(bundle) for bundle in bundles]}
    return json.dumps(whole, indent=1, default=lambda moment: moment.isoformat()) + "\n"


def load(path: Path) -> tuple[Bundle, ...]:
    """Raises UsageError, with one sentence that begins with the path."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    if len(content) > LARGEST:
        raise UsageError(f"{path}: larger than any bundle ({LARGEST // 1048576} MB)")
    try:
        read = _Whole.model_validate_json(content)
    except ValidationError as error:
        raise UsageError(f"{path}: {_told(error)}") from None
    return tuple(one.bundle() for one in read.bundles)


def _told(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    first = problems[0]
    if first["type"] == "json_invalid":
        return "not JSON, or only a part of it: gatepost collect writes the file anew"
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]).lstrip(".")
    if where == "schema" or not where:
        return f"not a bundle of this version of gatepost ({SCHEMA})"
    others = sum(1 for problem in problems[1:] if problem["loc"] != ("bundles",))  # left out, so there are too few
    more = f" (and {others} more)" if others else ""
    return f"{where[:200]}: {first['msg'][:200].lower()}{more}"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Ran(_Shape):
    argv: Annotated[tuple[Annotated[str, Field(max_length=65536)], ...], Field(min_length=1, max_length=200)]
    code: Annotated[int, Field(strict=True, ge=-1000, le=1000)]
    stdout: str = ""
    stderr: str = ""
    why: _Line = ""


class _File(_Shape):
    path: _Line
    exists: Annotated[bool, Field(strict=True)]
    mode: Annotated[int, Field(strict=True, ge=0, le=0o7777)] = 0
    owner: _Line = ""
    group: _Line = ""
    size: Annotated[int, Field(strict=True, ge=0)] = 0
    modified: AwareDatetime | None = None
    text: str | None = None
    note: _Line = ""
    why: _Line = ""


class _Bundle(_Shape):
    host: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\s\x00-\x1f\x7f]+$")]
    taken_at: AwareDatetime
    via: _Line
    ran: Annotated[tuple[_Ran, ...], Field(max_length=MOST_PARTS)] = ()
    files: Annotated[tuple[_File, ...], Field(max_length=MOST_PARTS)] = ()

    def bundle(self) -> Bundle:
        ran = tuple(Ran(one.argv, one.code, one.stdout, one.stderr, one.why) for one in self.ran)
        files = tuple(FileTaken(**one.model_dump()) for one in self.files)
        return Bundle(self.host, self.taken_at, self.via, ran, files)


class _Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    named: Annotated[Literal["gatepost/bundle/1"], Field(alias="schema")]
    bundles: Annotated[tuple[_Bundle, ...], Field(min_length=1, max_length=MOST_HOSTS)]
