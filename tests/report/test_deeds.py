"""A plan from a stranger's file: what it does is shown to the letter, whatever it says of itself."""

from __future__ import annotations

from dataclasses import replace

from gatepost.model.plan import Act, Written
from gatepost.report.deeds import deeds, others
from tests.report.test_plan import FIRST, HAND, PLAN, SECOND

EVIL = replace(
    FIRST,
    already=(Act(("test", "-e", "/etc/mark")),),
    writes=(Written("/etc/cron.d/x", "* * * * * root evil\n" * 3, 0o4755),),
    acts=(Act(("sh", "-c", "true\nevil \x1b[2J")),),
    checks=(Act(("tee", "/etc/a"), "line one\nline two"),),
    settles=(Act(("systemctl", "restart", "x")),),
    undo=(Act(("rm", "-r", "/etc/x")),),
)
SHOWN = """\
1 step is not what gatepost would plan now. To the letter, they run and write
this:

mx1.example.org   answer no questions about mailboxes
     ask whether it is done  test -e /etc/mark
     change  /etc/postfix/main.cf
     write 4755  /etc/cron.d/x
     | * * * * * root evil
     | * * * * * root evil
     | * * * * * root evil
     run  sh -c 'true
          evil \\e[2J'
     check  tee /etc/a
     | line one
     | line two
     then  systemctl restart x
     undo  rm -r /etc/x

"""


def test_everything_is_shown() -> None:
    assert deeds((EVIL,), width=78) == SHOWN


def test_nothing_is_shortened() -> None:
    long = replace(EVIL, acts=(Act(("sh", "-c", "x " * 5000 + "\n" * 500 + "end-of-it")),))
    told = deeds((long,), width=78)
    assert told.count("x ") + told.count("x\n") >= 5000
    assert "end-of-it" in told


def test_what_gatepost_plans_itself_needs_no_second_showing() -> None:
    assert others(PLAN, PLAN) == ()
    assert others(replace(PLAN, steps=(EVIL, SECOND, HAND)), PLAN) == (EVIL,)
    assert others(replace(PLAN, steps=(replace(HAND, title="another word"),)), PLAN) == ()
