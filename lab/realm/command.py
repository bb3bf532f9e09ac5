"""`python -m lab realm up|down|status`: a realm to try gatepost's acting half on."""

from __future__ import annotations

from lab.places import PROJECT, SHOWN
from lab.realm.host import Realm, State
from lab.realm.mistakes import rows
from lab.realm.visits import flows

VERBS = ("down", "status", "up")


def realm(verb: str, state: str) -> None:
    wanted = Realm(state=State(state))
    match verb:
        case "up":
            wanted.up()
            print(_told(wanted))
        case "down":
            wanted.down()
            if SHOWN.exists() and not any(SHOWN.iterdir()):
                SHOWN.rmdir()
        case _:
            print(_status(wanted))


def _told(up: Realm) -> str:
    """What to type next: gatepost looks from the office, as an administrator there would."""
    gatepost = f"ip netns exec {up.ground.namespace('office')} {PROJECT / 'gatepost'}"
    return "\n".join(
        f"{gatepost} {verb} -c {up.declaration} --ca {up.ca}" for verb in ("audit", "ports", "plan", "apply")
    )


def _status(asked: Realm) -> str:
    if not asked.running:
        return f"realm: down ({len(rows())} rows of the settings catalogue are violated by an unfit one)"
    stopped = flows(asked)
    return f"realm: up, {stopped or 'mail flows'}\n{_told(asked)}"
