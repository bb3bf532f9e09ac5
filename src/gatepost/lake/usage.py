"""Who uses what, a row for each day and way in, as SQL for DuckDB.

Small on purpose: a hundred million lines become some ten thousand rows a day, and questions over years are answered
from these. Guessed names of failed logins are not kept here: they would be most of it.
"""

from __future__ import annotations

from gatepost.lake.sessions import Span
from gatepost.model import counting
from gatepost.model.event import Act


def usage(span: Span) -> str:
    """Rows of `usage` from `session` (with `network`) and from the deliveries in `signal`."""
    return f"""
SELECT date_trunc('day', started) AS "at", 'in' AS direction, host, service, port, cover, starttls, tls, method,
    CASE outcome WHEN 'authenticated' THEN "user" ELSE '' END AS "user", network,
    CASE outcome WHEN 'authenticated' THEN helo WHEN 'accepted' THEN coalesce(nullif(name, ''), helo)
        ELSE '' END AS hint,
    outcome, arg_max(client, ended) AS client, count(*)::BIGINT AS sessions,
    count(*) FILTER (failures > 0 AND outcome <> 'authenticated') AS failures,
    sum(messages)::BIGINT AS messages, min(started) AS first, max(ended) AS last
FROM (SELECT s.* REPLACE (CASE outcome WHEN 'authenticated' THEN method ELSE '' END AS method) FROM session s)
GROUP BY ALL
UNION ALL BY NAME
SELECT make_timestamptz(t // {counting.DAY} * {counting.DAY}) AS "at", 'out' AS direction, host, service, port, cover,
    NULL::BOOLEAN AS starttls, tls, '' AS method, '' AS "user", '' AS network, peer AS hint, 'sent' AS outcome,
    arg_max(cause, t) AS client, count(*)::BIGINT AS sessions, 0::BIGINT AS failures, count(*)::BIGINT AS messages,
    make_timestamptz(min(t)) AS first, make_timestamptz(max(t)) AS last
FROM signal WHERE act = '{Act.OUTBOUND}' AND {span.within("t")} GROUP BY ALL
ORDER BY ALL
"""  # noqa: S608 - pieces are ours
