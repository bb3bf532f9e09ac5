"""Who uses what, a row for each day and way in, as SQL for DuckDB.

Small on purpose: a hundred million lines become some ten thousand rows a day, and questions over years are answered
from these. Guessed names and the networks of attempts that failed are not kept here: they would
be most of it, and `signals` has them.
"""

from __future__ import annotations

from gatepost.lake.sessions import Span
from gatepost.model import counting
from gatepost.model.event import Act


def usage(span: Span) -> str:
    """Rows of `usage` from `session_here` and from the deliveries in `signal`."""
    return f"""
SELECT date_trunc('day', started) AS "at", 'in' AS direction, host, service, port, cover, starttls, tls, method,
    CASE outcome WHEN 'authenticated' THEN "user" ELSE '' END AS "user",
    CASE WHEN outcome IN ('accepted', 'authenticated') THEN network ELSE '' END AS network,
    CASE outcome WHEN 'authenticated' THEN helo WHEN 'accepted' THEN coalesce(nullif(name, ''), helo)
        ELSE '' END AS hint,
    outcome, arg_max(client, (ended, client)) AS client, count(*)::BIGINT AS sessions,
    count(*) FILTER (failures > 0 AND outcome <> 'authenticated') AS failures,
    sum(messages)::BIGINT AS messages, min(started) AS first, max(ended) AS last
FROM (SELECT s.* REPLACE (CASE outcome WHEN 'authenticated' THEN method ELSE '' END AS method) FROM session_here s)
GROUP BY ALL
UNION ALL BY NAME
SELECT make_timestamptz(t // {counting.DAY} * {counting.DAY}) AS "at", 'out' AS direction, host, service, port, cover,
    NULL::BOOLEAN AS starttls, tls, '' AS method, '' AS "user", '' AS network, peer AS hint, 'sent' AS outcome,
    arg_max(cause, (t, cause)) AS client, count(*)::BIGINT AS sessions, 0::BIGINT AS failures,
    count(*)::BIGINT AS messages, make_timestamptz(min(t)) AS first, make_timestamptz(max(t)) AS last
FROM signal WHERE act = '{Act.OUTBOUND}' AND {span.within("t")} GROUP BY ALL
ORDER BY ALL
"""  # noqa: S608 - pieces are ours


FIRST = 'SELECT min("at")::DATE FROM usage WHERE day >= $since'
WAYS = """
WITH chosen AS (SELECT *, (date_diff('day', "at"::DATE, $until::DATE) // 7)::INTEGER AS age FROM usage
    WHERE direction = 'in' AND day BETWEEN $since AND $until AND ($service = '' OR service = $service)
    AND ($user = '' OR lower("user") = lower($user))),
weekly AS (SELECT service, port, cover, starttls, tls, method, "user", age, sum(sessions) AS sessions,
    sum(failures) AS failures, sum(messages) AS messages, min(first) AS first, max(last) AS last,
    arg_max(client, last) AS client, arg_max(hint, last) FILTER (hint <> '') AS hint,
    list(DISTINCT network) AS networks
    FROM chosen GROUP BY ALL)
SELECT service, port, cover, starttls, tls, method, "user", arg_max(client, last) AS client,
    len(list_distinct(flatten(list(networks)))) AS networks, coalesce(arg_max(hint, last), '') AS hint,
    sum(sessions)::BIGINT AS sessions, sum(failures)::BIGINT AS failures, sum(messages)::BIGINT AS messages,
    epoch_us(min(first)) AS first, epoch_us(max(last)) AS last, list(age) AS ages, list(sessions::BIGINT) AS counts
FROM weekly GROUP BY service, port, cover, starttls, tls, method, "user" ORDER BY ALL
"""

PEERS = """
WITH chosen AS (SELECT *, (date_diff('day', "at"::DATE, $until::DATE) // 7)::INTEGER AS age FROM usage
    WHERE day BETWEEN $since AND $until AND (direction = 'out' OR outcome = 'accepted') AND hint <> ''),
weekly AS (SELECT direction, hint, age, sum(messages) FILTER (cover = 'none') AS clear,
    sum(messages) FILTER (cover IN ('tls', 'outside')) AS covered, sum(messages) FILTER (cover = '') AS unknown,
    list(DISTINCT tls) FILTER (tls <> '') AS tls, min(first) AS first, max(last) AS last,
    arg_max(client, last) AS client FROM chosen GROUP BY ALL)
SELECT direction, hint, arg_max(client, last) AS client, coalesce(sum(clear), 0)::BIGINT AS clear,
    coalesce(sum(covered), 0)::BIGINT AS covered, coalesce(sum(unknown), 0)::BIGINT AS unknown,
    list_sort(list_distinct(flatten(list(coalesce(tls, []))))) AS tls, epoch_us(min(first)) AS first,
    epoch_us(max(last)) AS last, list(age) AS ages, list(coalesce(clear, 0)::BIGINT) AS counts
FROM weekly GROUP BY direction, hint ORDER BY ALL
"""
