"""The dialects of mail daemons: one module of tables each, and the words that lead to it.

To add one (Exim, Sendmail …), write a module with a `Dialect` and put it into `DIALECTS` of `registry.py`; nothing else
needs to know. A `Dialect` tells which syslog tags are its own (`claims`) and gives one `Table` for each daemon behind
them; a `Table` is rows of

    row("connect", Kind.CONNECT, rf"connect from {HOST_AT_END}", starts="connect", literal="connect from ")

- the name, unique in the dialect, is what the samples cite;
- the pattern is held against the whole message (`fullmatch`); its named groups are text fields of `Event` and are
  converted by name: addresses to their shortest form, numbers to int, methods to upper case, texts cut and masked;
- `starts` are the first words the message can begin with, "" where it changes (a queue id): rows are found by it;
- `literal` must occur in the message, or the pattern is not tried;
- `result=` and other keywords set fields that the row itself tells; `finish=` is handed draft and match for what a
  group cannot say. A group whose name ends in an underscore is for `finish` alone.

Rules for patterns. A stranger writes user names, HELO names, reverse names, senders, recipients, reasons and whatever
stands behind a colon: read the client's address from the side the daemon wrote, up to the first word that is not its
own, and leave what cannot be decided unmatched. Never two unbounded groups that can eat the same text, so that the time
is linear in the message. The rows of a table are tried in their order.

Beside each module lies `samples/<dialect>.jsonl`: one object a line with `row`, `tag`, `message`, `expect` (fields of
the event), `versions`, `note`, and `"near": true` for a forgery: a line in which a stranger's text imitates another
kind, address or user, and which must still yield the true fields. A test wants a sample and a near miss for every row,
and holds every pattern to long hostile text.

What the fields hold, beyond `model.event`: `commands` the counters of a disconnect line, or the stage of a rejection
(RCPT, DATA …); `code` the reply and enhanced code, "lost connection" or "timeout" for an aborted session, Dovecot's
reason code in 2.4; `relay` the server as `name[address]:port` or the mailbox; `reason` the daemon's words.
"""
