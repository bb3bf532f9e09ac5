# ruff: noqa: S608 - text of a rule goes through condition.quoted and column, the rest are numbers and our own words
"""Sigma rules to SQL for DuckDB, with true sliding windows over the `signals` of the lake.

A rule *fires* at the instant of a signal when what it counts within `[instant - window, instant]`, both ends included,
reaches its threshold. Instants of one group that lie no further apart than the window are one hit. A hit is told with
everything that was counted from one window before it fired first until it fired last.

`at` becomes whole microseconds first: window frames over integers are exact, and need neither zones nor intervals.
"""

from __future__ import annotations

from gatepost.detect.condition import column, quoted
from gatepost.detect.condition import sql as predicate
from gatepost.detect.rule import NUMBERS, Baseline, Counting, Rule, Selection
from gatepost.model.event import MICROSECONDS, Act

PROOFS = 3  # at each end
MOST_LISTED = 5000  # values of one list of a hit

COLUMNS = ("grp", "first", "last", "count", "clients", "users", "services", "hosts", "proofs", "signals")
"""Of a compiled rule: group values as text in the order of `rule.groups`, times in microseconds, lists sorted."""


def compile_rule(rule: Rule, table: str = "signals", since: int | None = None, until: int | None = None) -> str:
    """One SELECT with `COLUMNS`, one row a hit. Times are microseconds: `since` included, `until` not."""
    keys = _keys(rule)
    fired, steps = _fired(rule, table, since, until, "r")
    span = rule.reach * MICROSECONDS
    window = rule.window * MICROSECONDS
    same = " AND ".join(f"e.{k} = h.{k}" for k in keys) or "true"
    grouped = "".join(f"{k}, " for k in keys)
    by = ", ".join(["h.rid", *(f"h.{k}" for k in keys)])
    shown = ", ".join(f"h.{k}" for k in keys)
    over = f"OVER ({_partition(rule)}ORDER BY t"
    steps += [
        f"evidence AS MATERIALIZED ({evidence(rule, table, since, until)})",
        f"instants AS (SELECT DISTINCT {grouped}t FROM {fired})",
        f"breaks AS (SELECT *, coalesce(t - lag(t) {over}) > {window}, true)::INT AS fresh FROM instants)",
        f"runs AS (SELECT *, sum(fresh) {over} ROWS UNBOUNDED PRECEDING) AS rid FROM breaks)",
        f"hits AS (SELECT {grouped}rid, min(t) AS t0, max(t) AS t1 FROM runs GROUP BY ALL)",
    ]
    count = f"count(DISTINCT e.{column('v')})" if rule.counting is Counting.VALUES else "sum(e.w)"
    if rule.counting in {Counting.ORDERED, Counting.TOGETHER}:
        count = "count(*)"
    return (
        f"WITH {', '.join(steps)}\n"
        f"SELECT [{shown}]::VARCHAR[] AS grp, min(e.t) AS first, h.t1 AS last, {count}::BIGINT AS count, "
        + ", ".join(f"{listed(name)} AS {name}s" for name in ("client", "user", "service", "host"))
        + f", {proofs()} AS proofs, sum(e.w)::BIGINT AS signals "
        f"FROM hits h JOIN evidence e ON {same} AND e.t BETWEEN h.t0 - {span} AND h.t1 "
        f"GROUP BY {by}, h.t0, h.t1 ORDER BY last, grp"
    )


def listed(name: str) -> str:
    field = f"e.s.{column(name)}"
    return f"coalesce(list_sort(list(DISTINCT {field}) FILTER (WHERE {field} <> ''))[1:{MOST_LISTED}], [])"


def proofs() -> str:
    order = "{'t': e.t, 'source': e.s.source, 'offset': e.s.\"offset\"}"
    return f"list_distinct(arg_min(e.s, {order}, {PROOFS}) || arg_max(e.s, {order}, {PROOFS}))"


def _keys(rule: Rule) -> list[str]:
    return [f"g{n}" for n in range(len(rule.groups))]


def _text(field: str) -> str:
    return f"coalesce(CAST({column(field)} AS VARCHAR), '')"


def _bounds(since: int | None, until: int | None) -> list[str]:
    """On `at` itself, so that Parquet statistics and days are used."""
    low = [f'"at" >= make_timestamptz({since})'] if since is not None else []
    return low + ([f'"at" < make_timestamptz({until})'] if until is not None else [])


def _taken(
    part: Selection, rule: Rule, table: str, since: int | None, until: int | None, fields: tuple[str, ...]
) -> str:
    """What a selection takes, as g0, g1 …, t (microseconds), w (weight), v (the value counted)."""
    keys = "".join(f"{_text(field)} AS g{n}, " for n, field in enumerate(fields))
    value = _text(rule.value) if rule.value else "''"
    terms = [predicate(part.where), *_bounds(since, until), *(f"{_text(field)} <> ''" for field in fields)]
    terms += [f"{value} <> ''"] if rule.value else []
    terms += ["amount > 0"] if rule.counting is Counting.EVENTS else []
    terms += [_strangers(table, since, until)] if _only_strangers(rule) else []
    return (
        f'SELECT {keys}epoch_us("at") AS t, greatest(amount, 1) AS w, {value} AS v, 0 AS slot'
        f" FROM {column(table)} WHERE {' AND '.join(terms)}"
    )


def _only_strangers(rule: Rule) -> bool:
    return rule.normal is not None and rule.normal.kind is Baseline.STRANGER


def _strangers(table: str, since: int | None, until: int | None) -> str:
    """No account logged in from there in all the time looked at, nor from the same /64 of IPv6."""
    terms = " AND ".join([f"act = {quoted(Act.LOGIN)}", *_bounds(since, until)])
    known = f"SELECT {{0}} FROM {column(table)} WHERE {terms}"
    return (
        f"client <> '' AND client NOT IN ({known.format('client')} AND client IS NOT NULL)"
        f" AND NOT (contains(client, ':') AND network IN ({known.format('network')} AND network IS NOT NULL))"
    )


def evidence(rule: Rule, table: str, since: int | None, until: int | None) -> str:
    """Every signal that any selection of the rule takes, once, with the fields that a proof shows."""
    shown = ("host", "service", "act", "client", "user", "cause", "source", "offset")
    values = (f"{quoted(n)}: {column(n) if n in NUMBERS else _text(n)}" for n in shown)
    packed = "{'t': epoch_us(\"at\"), " + ", ".join(values) + "}"
    parts: dict[str, None] = {}
    for slot, (part, fields) in enumerate(_flat(rule, tuple(rule.groups))):
        keys = "".join(f"{_text(field)} AS g{n}, " for n, field in enumerate(fields))
        value = _text(rule.value) if rule.value else "''"
        number = slot if rule.normal is not None and rule.normal.kind is Baseline.DOWNGRADE else 0
        terms = [predicate(part.where), *_bounds(since, until), *(f"{_text(field)} <> ''" for field in fields)]
        terms += [f"{value} <> ''"] if rule.value and part in rule.parts else []
        terms += ["amount > 0"] if rule.counting is Counting.EVENTS and part in rule.parts else []
        terms += [_strangers(table, since, until)] if _only_strangers(rule) else []
        parts[
            f'SELECT {keys}epoch_us("at") AS t, greatest(amount, 1) AS w, {value} AS v, {number} AS slot, {packed} AS s'
            f" FROM {column(table)} WHERE {' AND '.join(terms)}"
        ] = None
    whole = " UNION ALL ".join(parts)
    return whole if len(parts) == 1 else f"SELECT DISTINCT * FROM ({whole})"


def _flat(rule: Rule, groups: tuple[str, ...]) -> list[tuple[Selection, tuple[str, ...]]]:
    """Each selection with the fields that carry the group of the outermost rule."""
    found: list[tuple[Selection, tuple[str, ...]]] = []
    for part in rule.parts:
        if isinstance(part, Selection):
            where = dict(zip(rule.groups, part.fields, strict=True))
            found.append((part, tuple(where[name] for name in groups)))
        else:
            inner = dict(zip(rule.groups, part.fields, strict=True))
            found += _flat(part, tuple(inner[name] for name in groups))
    return found


def _fired(rule: Rule, table: str, since: int | None, until: int | None, name: str) -> tuple[str, list[str]]:
    """The name of a step with g0, g1 … and t, and the steps it needs."""
    steps: list[str] = []
    sources: list[str] = []
    for n, part in enumerate(rule.parts):
        if isinstance(part, Selection):
            taken = _taken(part, rule, table, since, until, part.fields)
            sources.append(f"SELECT * REPLACE ({n} AS slot) FROM ({taken})")
            continue
        inner, more = _fired(part, table, since, until, f"{name}_{n}")
        steps += more
        at = [f"g{part.groups.index(field)} AS g{k}" for k, field in enumerate(part.fields)]
        value = f"g{part.groups.index(rule.value)}" if rule.value in part.groups else "''"
        sources.append(
            f"SELECT DISTINCT {', '.join([*at, 't', '1 AS w', f'{value} AS v', f'{n} AS slot'])} FROM {inner}"
        )
    steps.append(f"{name}_in AS MATERIALIZED ({' UNION ALL BY NAME '.join(sources)})")
    steps.append(f"{name} AS ({_WINDOWS[rule.counting](rule, f'{name}_in')})")
    return name, steps


def _partition(rule: Rule, *more: str) -> str:
    keys = [*_keys(rule), *more]
    return f"PARTITION BY {', '.join(keys)} " if keys else ""


def _frame(rule: Rule) -> str:
    back = rule.window * MICROSECONDS
    return f"({_partition(rule)}ORDER BY t RANGE BETWEEN {back} PRECEDING AND CURRENT ROW)"


def _select(rule: Rule) -> str:
    return "".join(f"{k}, " for k in _keys(rule))


def _events(rule: Rule, taken: str) -> str:
    return (
        f"SELECT {_select(rule)}t FROM (SELECT {_select(rule)}t, sum(w) OVER {_frame(rule)} AS m FROM {taken})"
        f" WHERE m >= {rule.threshold}"
    )


def _values(rule: Rule, taken: str) -> str:
    """Exact and without lists: a value is in from each sighting until a window later; the edges are added up.

    Its last instant is included, hence the microsecond; at one instant arrivals come before departures.
    """
    back = rule.window * MICROSECONDS
    keys = _select(rule)
    over = f"OVER ({_partition(rule, 'v')}ORDER BY t)"
    seen = f"SELECT {keys}v, t, lag(t) {over} AS p, lead(t) {over} AS n FROM (SELECT DISTINCT {keys}v, t FROM {taken})"
    edges = (
        f"SELECT {keys}t, (p IS NULL OR t - p > {back})::INT AS d FROM ({seen})"
        f" UNION ALL SELECT {keys}t + {back} + 1 AS t, -1 AS d FROM ({seen}) WHERE n IS NULL OR n - t > {back}"
    )
    over = f"OVER ({_partition(rule)}ORDER BY t RANGE UNBOUNDED PRECEDING)"
    return (
        f"SELECT {keys}t FROM (SELECT {keys}t, d, sum(d) {over} AS m FROM ({edges}))"
        f" WHERE d >= 0 AND m >= {rule.threshold}"
    )


def _together(rule: Rule, taken: str) -> str:
    seen = " + ".join(f"max((slot = {n})::INT) OVER {_frame(rule)}" for n in range(len(rule.parts)))
    return (
        f"SELECT {_select(rule)}t FROM (SELECT {_select(rule)}t, {seen} AS m FROM {taken}) WHERE m >= {rule.threshold}"
    )


def _ordered(rule: Rule, taken: str) -> str:
    """For each part the latest start of a sequence that ends there; equal times stand in order."""
    keys, last = _select(rule), len(rule.parts) - 1
    chain = f"SELECT {keys}t, slot, CASE WHEN slot = 0 THEN t END AS s0 FROM {taken}"
    over = f"OVER ({_partition(rule)}ORDER BY t RANGE UNBOUNDED PRECEDING)"
    for n in range(1, last + 1):
        chain = f"SELECT *, CASE WHEN slot = {n} THEN max(s{n - 1}) {over} END AS s{n} FROM ({chain})"
    return f"SELECT {keys}t FROM ({chain}) WHERE slot = {last} AND t - s{last} <= {rule.window * MICROSECONDS}"


_WINDOWS = {
    Counting.EVENTS: _events,
    Counting.VALUES: _values,
    Counting.TOGETHER: _together,
    Counting.ORDERED: _ordered,
}
