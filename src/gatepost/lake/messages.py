"""Messages by queue id, and what became of them, as SQL for DuckDB.

Queue ids come again on hosts with short ones: a message ends with its `removed` line, and a new one begins with the
next client line. Deliveries are joined to the message for `FOLLOWED` after the midnight behind its beginning.
"""

from __future__ import annotations

from gatepost.lake import words
from gatepost.lake.sessions import Span, coded
from gatepost.lake.signals import COLUMNS, COVER, TLS
from gatepost.model import counting
from gatepost.model.event import Act

_OUTSIDE = f"daemon NOT IN {words.listed(counting.INSIDE)} AND NOT {words.inside('relay')}"


def accepted() -> str:
    """Who gave each message in, of one slice of the connections."""
    return f"""SELECT c.t, c.host, c.queue, c.service, c.port, c.client, c."user", c.method, {COVER} AS cover,
        {TLS} AS tls, c.c, c.source, c."offset", 0::BIGINT AS recipients FROM chained c
        JOIN connection o ON o.c = c.c
        WHERE c.kind = 'accepted' AND c.queue <> ''"""  # noqa: S608 - ours


def mail_lines(span: Span) -> str:
    """The table `mail_line`: lines about queue ids, and handshakes of the processes that deliver."""
    columns = """host, daemon, service, port, pid, kind, result, client, "user", method, cover, tls, queue, sender,
        recipient, message_id, relay, size, recipients, code, reason, source, "offset" """
    return f"""SELECT epoch_us("at") AS t, {coded(columns)}, hash(host, queue) AS k FROM events WHERE {span.events}
        AND kind IN ('accepted', 'delivery', 'message-id', 'queued', 'removed', 'tls-out')"""  # noqa: S608 - ours


MAIL = "SELECT l.*, p.* EXCLUDE (k) FROM mail_line l JOIN mail_place p ON p.r = l.rowid"


def mail_places() -> str:
    """The message of each row `r` of `mail_line`.

    `taken` is the line that gave it in, `counted` tells of an earlier count of its recipients.
    """
    return f"""
WITH placed AS (SELECT r, k, t, kind, row_number() OVER w AS n
    FROM (SELECT rowid AS r, k, t, kind, source, "offset" FROM mail_line WHERE queue <> '' AND kind <> 'tls-out')
    WINDOW w AS (PARTITION BY k ORDER BY t, source, "offset")),
known AS (SELECT *, last_value(CASE kind WHEN 'accepted' THEN n END IGNORE NULLS) OVER w AS last_accepted,
        last_value(CASE kind WHEN 'accepted' THEN t END IGNORE NULLS) OVER w AS accepted_at,
        last_value(CASE kind WHEN 'removed' THEN n END IGNORE NULLS) OVER w AS last_removed,
        last_value(CASE kind WHEN 'queued' THEN n END IGNORE NULLS) OVER before AS last_queued FROM placed
    WINDOW w AS (PARTITION BY k ORDER BY n ROWS UNBOUNDED PRECEDING),
        before AS (PARTITION BY k ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
SELECT r, k, n, last_accepted, last_removed,
    CASE WHEN last_accepted > coalesce(CASE WHEN kind = 'removed' THEN NULL ELSE last_removed END, 0)
        AND accepted_at >= {words.since("t")} THEN last_accepted END AS taken,
    coalesce(last_queued, 0) > last_accepted AS counted FROM known
"""  # noqa: S608 - ours


def given() -> str:
    """The line that gave each message in, with what its connection tells."""
    return """SELECT m.k, m.n, m.t, m.host, m.queue, a.service, a.port, a.client, a."user", a.method, a.cover,
        a.tls, a.c, m.source, m."offset"
        FROM mail m JOIN accepted a ON a.source = m.source AND a."offset" = m."offset"
        AND a.t = m.t AND a.queue = m.queue AND a.host = m.host WHERE m.kind = 'accepted'"""


def counts() -> str:
    """Recipients of messages into `accepted`, for the sessions."""
    return """UPDATE accepted a SET recipients = q.recipients FROM (SELECT g.host, g.source, g."offset", g.t,
        arg_min(coalesce(m.recipients, 1), m.n) AS recipients FROM mail m JOIN given g ON g.k = m.k AND g.n = m.taken
        WHERE m.kind = 'queued' GROUP BY ALL) q WHERE a.source = q.source AND a."offset" = q."offset" AND a.t = q.t
        AND a.host = q.host"""


def signals(span: Span) -> str:
    """A message for each first count of its recipients."""
    amount = "greatest(1, coalesce(nullif(m.recipients, 0), 1))"
    return f"""INSERT INTO signal SELECT {COLUMNS} FROM (
    SELECT m.t, m.host, g.service, g.port, '{Act.MESSAGE}' AS act, g.client, g."user", g.method, g.cover, g.tls,
        {words.peer("m.sender")} AS peer, '' AS cause, {amount} AS amount, g.c, '' AS key, m.source, m."offset"
        FROM mail m JOIN given g ON g.k = m.k AND g.n = m.taken WHERE m.kind = 'queued' AND NOT m.counted
    UNION ALL BY NAME
    SELECT t, host, service, port, '{Act.MESSAGE}' AS act, client, "user", method, cover, tls,
        {words.peer("m.sender")} AS peer, '' AS cause, {amount} AS amount, NULL AS c, '' AS key, source, "offset"
        FROM mail m WHERE m.kind = 'queued' AND m.taken IS NULL AND m.client <> '') WHERE {span.within("t")}"""  # noqa: S608 - ours


def deliveries() -> str:
    """Each delivery with the handshake that the same process made for the same message, if it made one.

    A handshake that was followed by a delivery of another message covered that one, not this. Where a host tells no
    handshake with a server all day, none of its deliveries is called clear. `r` is the row of `mail_line`.
    """
    return f"""
WITH line AS (SELECT rowid AS r, t, kind, source, "offset", hash({words.server("relay")}) AS server,
        hash(host, daemon, pid) AS k, hash(queue) AS queue, hash(host) AS host, tls FROM mail_line
    WHERE kind IN ('delivery', 'tls-out')),
placed AS (SELECT r, k, t, kind, server, queue, tls, row_number() OVER w AS n,
        last_value(CASE kind WHEN 'tls-out' THEN t // {counting.DAY} END IGNORE NULLS) OVER h AS told
    FROM line WINDOW w AS (PARTITION BY k ORDER BY t, source, "offset"),
        h AS (PARTITION BY host ORDER BY t, source, "offset" ROWS UNBOUNDED PRECEDING)),
secured AS (SELECT r, k, t, kind, queue, told, n, last_value(CASE kind WHEN 'tls-out' THEN n END IGNORE NULLS)
    OVER (PARTITION BY k, server ORDER BY n ROWS UNBOUNDED PRECEDING) AS handshake FROM placed),
sent AS (SELECT *, lag(n) OVER w AS before, lag(queue) OVER w AS queue_before FROM secured WHERE kind = 'delivery'
    WINDOW w AS (PARTITION BY k ORDER BY n)),
bounded AS (SELECT *, last_value(CASE WHEN queue_before IS NULL OR queue_before <> queue THEN coalesce(before, 0) END
        IGNORE NULLS)
    OVER (PARTITION BY k ORDER BY n ROWS UNBOUNDED PRECEDING) AS bound FROM sent),
joined AS (SELECT b.r, s.tls AS tls_out, s.n IS NOT NULL AS made, b.told = b.t // {counting.DAY} AS tells
    FROM bounded b LEFT JOIN (SELECT k, n, tls FROM placed WHERE kind = 'tls-out') s
    ON s.k = b.k AND s.n = b.handshake AND b.handshake > b.bound)
SELECT l.rowid AS r, t, host, service, port, result, recipient, {words.server("relay")} AS server, code, reason, source,
    "offset", result = 'sent' AND {_OUTSIDE} AS out, cover AS cover_told, tls AS tls_told,
    CASE WHEN cover <> '' THEN cover WHEN made THEN 'tls' WHEN tells THEN 'none' ELSE '' END AS cover,
    CASE WHEN tls <> '' THEN tls ELSE coalesce(tls_out, '') END AS tls FROM mail_line l JOIN joined j ON j.r = l.rowid
"""  # noqa: S608 - ours


def delivery_signals(span: Span) -> str:
    """What went out to peers, and what stays in the queue or bounced."""
    cause = "CASE WHEN d.out THEN d.server ELSE coalesce(nullif(d.code, ''), d.reason) END"
    return f"""INSERT INTO signal SELECT {COLUMNS} FROM (
    SELECT d.t, d.host, d.service, d.port, CASE WHEN d.out THEN '{Act.OUTBOUND}' ELSE '{Act.QUEUE}' END AS act,
        coalesce(g.client, '') AS client, coalesce(g."user", '') AS "user", '' AS method,
        CASE WHEN d.out THEN d.cover ELSE d.cover_told END AS cover,
        CASE WHEN d.out THEN d.tls ELSE d.tls_told END AS tls,
        {words.peer("d.recipient")} AS peer, left({cause}, {counting.CAUSE}) AS cause, 1 AS amount, NULL AS c,
        '' AS key, d.source, d."offset"
    FROM deliveries d LEFT JOIN mail_place m ON m.r = d.r
    LEFT JOIN given g ON g.k = m.k AND g.n = m.taken WHERE d.out OR d.result <> 'sent')
    WHERE {span.within("t")}"""  # noqa: S608 - ours


def messages(span: Span) -> str:
    """Rows of `messages`. `delivered_to` and the lists behind it have a place for each delivery line."""
    joined = f"""m.k = g.k AND m.n > g.n AND m.last_accepted = g.n
        AND (m.t - {counting.FOLLOWED}) // {counting.DAY} <= g.t // {counting.DAY}
        AND coalesce(m.last_removed, 0) <= CASE WHEN m.kind = 'removed' THEN m.n ELSE g.n END"""
    return f"""
WITH joined AS (SELECT g.k, g.n, m.kind, m.sender, m.message_id, m.size, m.recipients,
        CASE m.kind WHEN 'delivery' THEN struct_pack(n := m.n, recipient := m.recipient, result := m.result,
            relay := m.relay, cover := d.cover, tls := d.tls) END AS delivery
    FROM given g JOIN mail m ON {joined} LEFT JOIN deliveries d ON d.r = m.r WHERE {span.within("g.t")}),
told AS (SELECT k, n, max(sender) FILTER (kind = 'queued') AS sender,
        max(message_id) FILTER (kind = 'message-id') AS message_id, max(size) FILTER (kind = 'queued') AS size,
        max(recipients) FILTER (kind = 'queued') AS recipients, bool_or(kind = 'removed') AS removed,
        list_sort(list(delivery) FILTER (kind = 'delivery')) AS deliveries FROM joined GROUP BY k, n)
SELECT make_timestamptz(g.t) AS "at", g.host, g.queue, g.service, g.client, g."user", coalesce(sender, '') AS sender,
    coalesce(message_id, '') AS message_id, size, recipients::INTEGER AS recipients, g.c,
    coalesce(removed, false) AS removed, {_place("recipient")} AS delivered_to, {_place("result")} AS results,
    {_place("relay")} AS relays, {_place("cover")} AS covers, {_place("tls")} AS versions
FROM given g LEFT JOIN told USING (k, n) WHERE {span.within("g.t")}
"""  # noqa: S608 - ours


def _place(field: str) -> str:
    return f"coalesce(list_transform(deliveries, lambda d: d.{field}::VARCHAR), [])"
