"""MTA-STS (RFC 8461): the record that says a policy exists, and what is fetched because of it."""

from __future__ import annotations

import re
from dataclasses import replace

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer
from gatepost.model.domain import StsSeen
from gatepost.model.observation import Unobserved
from gatepost.records import fields, sts_policy
from gatepost.records.lookup import Fetch, Fetched, Lookup, unanswered
from gatepost.records.sentences import bounded, shown
from gatepost.records.sts_policy import pattern_covers

__all__ = ["PATH", "VERSION", "host", "inspect", "owner", "pattern_covers"]

VERSION = "STSv1"
PATH = "/.well-known/mta-sts.txt"
_ID = re.compile(r"[A-Za-z0-9]{1,32}")


async def inspect(domain: str, lookup: Lookup, fetch: Fetch) -> StsSeen | Unobserved:
    """The policy is asked for as soon as any record is meant as one, a broken or doubled one included.

    Senders would not ask then; but an operator wants to hear of both faults at once.
    """
    answer = await lookup(owner(domain), "TXT")
    if answer.failed:
        return unanswered(Endpoint(domain), "mta-sts", answer)
    seen = record(domain, answer)
    return with_policy(seen, await fetch(host(domain), PATH)) if seen.records else seen


def owner(domain: str) -> str:
    """Where the record of a domain stands (section 3.1)."""
    return f"_mta-sts.{domain}"


def host(domain: str) -> str:
    """Who serves the policy of a domain (section 3.3)."""
    return f"mta-sts.{domain}"


def record(domain: str, answer: Answer) -> StsSeen:
    chosen = fields.choose(answer.values, VERSION)
    seen = StsSeen(Endpoint(domain), chosen.records, problems=_of_record(chosen.problems), security=answer.security)
    if not chosen.text:
        return seen
    found = fields.read(chosen.text, ("id",))
    name = found.first("id")
    problems = [*found.problems]
    if name is None:
        problems.append("no usable id=: senders take the record for invalid")
    elif not _ID.fullmatch(name):
        problems.append(f"id= has to be 1 to 32 letters and digits, and is {shown(name)}")
    return replace(
        seen,
        id=name if name and _ID.fullmatch(name) else "",
        problems=_of_record([*chosen.problems, *problems]),
        advice=_of_record(found.advice),
    )


def with_policy(seen: StsSeen, got: Fetched) -> StsSeen:
    if not got.ok:
        return replace(seen, fetched=False, why=got.why or "no policy came", reason=got.reason)
    policy = sts_policy.read(got.text)
    problems, advice = sts_policy.served_as(got.content_type)
    return replace(
        seen,
        fetched=True,
        text=got.text[: sts_policy.MAX_TEXT],
        mode=policy.mode,
        mx=policy.mx,
        max_age=policy.max_age,
        problems=bounded([*seen.problems, *_of_policy([*problems, *policy.problems])]),
        advice=bounded([*seen.advice, *_of_policy([*advice, *policy.advice])]),
    )


def _of_record(sentences: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"record: {one}" for one in sentences)


def _of_policy(sentences: list[str]) -> tuple[str, ...]:
    return tuple(f"policy: {one}" for one in sentences)
