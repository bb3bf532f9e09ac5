# ruff: noqa: ISC004, S608 - steps are long texts; text of a rule goes through condition.quoted and column, the rest are numbers and our own words
"""Rules that compare with history: bursts, downgrades, novelties, silence. SQL for DuckDB, with the columns of `sql`.

Time is cut into whole windows, each compared with the windows before it; hours are compared with the same hour of
other weeks where at least three of them are known. Robust figures only: a median and its median absolute deviation do
not move when an attack lies within the history. Nothing is ever told of a group that is known for less than `warm`:
no history is no reason for alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gatepost.detect.condition import column
from gatepost.detect.rule import Baseline, Normal, Rule
from gatepost.detect.sql import evidence, listed, proofs
from gatepost.model.event import MICROSECONDS

WEEK = 7 * 86400 * MICROSECONDS
NORMAL = 1.4826  # from a median absolute deviation to a standard deviation
WEEKS = 3  # of the same hour that make a habit
RARE = 20  # one in twenty in clear is an accident, not a habit


def compile_baseline(rule: Rule, table: str = "signals", since: int | None = None, until: int | None = None) -> str:
    """One SELECT with `sql.COLUMNS` of the hits that end at or after `since`; history before it is read too."""
    normal = rule.normal
    assert normal is not None  # noqa: S101 - the caller asked
    from_ = None if since is None else since - normal.history * MICROSECONDS
    keys = [f"g{n}" for n in range(len(rule.groups))]
    steps = [
        f"evidence AS MATERIALIZED ({evidence(rule, table, from_, until)})",
        f"newest AS (SELECT {until} AS now)" if until is not None else _newest(table),
        *_STEPS[normal.kind](rule, normal, keys),
    ]
    same = " AND ".join(f"e.{k} = h.{k}" for k in keys)
    shown = ", ".join(f"h.{k}" for k in keys)
    after = f"WHERE h.t1 >= {since} " if since is not None else ""
    return (
        f"WITH {', '.join(steps)}\n"
        f"SELECT [{shown}]::VARCHAR[] AS grp, coalesce(min(e.t), h.t0) AS first, h.t1 AS last, h.c::BIGINT AS count, "
        + ", ".join(f"{listed(name)} AS {name}s" for name in ("client", "user", "service", "host"))
        + f", coalesce({proofs()}, []) AS proofs, coalesce(sum(e.w), 0)::BIGINT AS signals "
        f"FROM hits h LEFT JOIN evidence e ON {same} AND e.t BETWEEN h.t0 AND h.t1 AND (h.vs IS NULL OR e.v IN h.vs) "
        f"{after}GROUP BY {shown}, h.t0, h.t1, h.c ORDER BY last, grp"
    )


def _newest(table: str) -> str:
    return f'newest AS (SELECT max(epoch_us("at")) AS now FROM {column(table)})'


def _burst(rule: Rule, normal: Normal, keys: list[str]) -> list[str]:
    width, g = rule.window * MICROSECONDS, ", ".join(keys)
    back = f"ORDER BY b RANGE BETWEEN {normal.history * MICROSECONDS} PRECEDING AND {width} PRECEDING"
    whole, weekly = f"(PARTITION BY {g} {back})", f"(PARTITION BY {g}, b % {WEEK} {back})"
    return [
        f"buckets AS (SELECT {g}, t // {width} * {width} AS b, sum(w) AS c, min(t) AS t0, max(t) AS t1"
        " FROM evidence GROUP BY ALL)",
        f"usual AS (SELECT *, min(t0) OVER (PARTITION BY {g}) AS since, median(c) OVER {whole} AS m,"
        f" mad(c) OVER {whole} AS d, count(*) OVER {weekly} AS n, median(c) OVER {weekly} AS hm,"
        f" mad(c) OVER {weekly} AS hd FROM buckets)",
        "level AS (SELECT *, CASE WHEN n >= "
        f"{WEEKS} THEN hm ELSE m END AS lm, CASE WHEN n >= {WEEKS} THEN hd ELSE d END AS ld FROM usual)",
        f"hits AS (SELECT {g}, t0, t1, c, NULL::VARCHAR[] AS vs FROM level WHERE c >= {normal.least}"
        f" AND since <= b - {normal.warm * MICROSECONDS} AND lm IS NOT NULL AND c >= 2 * greatest(m, lm)"
        f" AND c >= lm + {normal.factor * NORMAL} * greatest(ld, 1))",
    ]


def _novelty(rule: Rule, normal: Normal, keys: list[str]) -> list[str]:
    width, g = rule.window * MICROSECONDS, ", ".join(keys)
    return [
        f"counted AS (SELECT {g}, v, t, min(t) OVER (PARTITION BY {g}) AS since,"
        f" count(*) OVER (PARTITION BY {g} ORDER BY t) AS n FROM evidence)",
        f"firsts AS (SELECT {g}, v, min(t) AS t, min(n) AS n, min(since) AS since FROM counted GROUP BY {g}, v)",
        f"fresh AS (SELECT *, t // {width} * {width} AS b FROM firsts"
        f" WHERE t >= since + {normal.warm * MICROSECONDS} AND n > {normal.least})",
        f"hits AS (SELECT {g}, b, min(t) AS t0, b + {width} - 1 AS t1, count(*) AS c, list(v) AS vs"
        f" FROM fresh GROUP BY {g}, b HAVING count(*) >= {rule.threshold})",
    ]


def _downgrade(rule: Rule, normal: Normal, keys: list[str]) -> list[str]:
    """In clear now, with TLS as a rule before, and not once with TLS within the window."""
    width, back, g = rule.window * MICROSECONDS, normal.history * MICROSECONDS, ", ".join(keys)
    before = f"(PARTITION BY {g} ORDER BY t RANGE BETWEEN {back} PRECEDING AND {width} PRECEDING)"
    now = f"(PARTITION BY {g} ORDER BY t RANGE BETWEEN {width - 1} PRECEDING AND {width} FOLLOWING)"
    runs = f"OVER (PARTITION BY {g} ORDER BY t)"
    return [
        f"levels AS (SELECT {g}, t, slot, count(*) FILTER (slot = 0) OVER {before} AS tls,"
        f" count(*) FILTER (slot = 1) OVER {before} AS clear, count(*) FILTER (slot = 0) OVER {now} AS still,"
        f" min(t) OVER (PARTITION BY {g}) AS since FROM evidence)",
        f"fallen AS (SELECT DISTINCT {g}, t FROM levels WHERE slot = 1 AND still = 0 AND tls >= {normal.least}"
        f" AND clear * {RARE} <= tls AND t >= since + {normal.warm * MICROSECONDS})",
        f"breaks AS (SELECT *, coalesce(t - lag(t) {runs} > {width}, true)::INT AS f FROM fallen)",
        f"runs AS (SELECT *, sum(f) {runs} AS r FROM breaks)",
        f"hits AS (SELECT {g}, r, min(t) AS t0, max(t) AS t1, count(*) AS c, NULL::VARCHAR[] AS vs"
        f" FROM runs GROUP BY {g}, r)",
    ]


def _silence(rule: Rule, normal: Normal, keys: list[str]) -> list[str]:
    """Nothing in a whole window, where the same window of every known week had `least`; at least two weeks."""
    width, g = rule.window * MICROSECONDS, ", ".join(keys)
    weeks = max(normal.history * MICROSECONDS // WEEK, 2)
    same = " AND ".join(f"x.{k} = b.{k}" for k in keys)
    return [
        f"buckets AS (SELECT {g}, t // {width} * {width} AS b, sum(w) AS c FROM evidence GROUP BY ALL)",
        f"born AS (SELECT {g}, min(b) AS since FROM buckets GROUP BY ALL)",
        f"wanted AS (SELECT {', '.join('b.' + k for k in keys)}, b.b + k.w * {WEEK} AS b, b.c"
        f" FROM buckets b, range(1, {weeks + 1}) k(w))",
        f"expected AS (SELECT {g}, b, min(c) AS c, count(*) AS n FROM wanted GROUP BY {g}, b)",
        f"hits AS (SELECT {', '.join('b.' + k for k in keys)}, b.b AS t0, b.b + {width} - 1 AS t1, 0 AS c,"
        f" NULL::VARCHAR[] AS vs FROM expected b JOIN born x ON {same}, newest"
        f" WHERE b.c >= {normal.least} AND b.n >= least(2, {weeks})"
        f" AND b.n >= least((b.b - x.since) // {WEEK}, {weeks}) AND b.b - x.since >= {normal.warm * MICROSECONDS}"
        f" AND b.b + {width} <= newest.now"
        f" AND NOT EXISTS (SELECT 1 FROM buckets x WHERE {same} AND x.b = b.b))",
    ]


_STEPS: Mapping[Baseline, Callable[[Rule, Normal, list[str]], list[str]]] = {
    Baseline.BURST: _burst,
    Baseline.DOWNGRADE: _downgrade,
    Baseline.NOVELTY: _novelty,
    Baseline.SILENCE: _silence,
}
