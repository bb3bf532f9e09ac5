"""The table lasts: kept in a file that a unit loads, once and for all, by hand where nobody else can know how."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path

import pytest

from gatepost.edge.host.applying import Terms, apply
from gatepost.edge.host.journal import records
from gatepost.edge.host.mending import roll_back
from gatepost.edge.host.runner import Prefixed
from gatepost.enforce import plan as desired
from gatepost.enforcement.boot import KEY, PULLED_BY, loading, text, unit
from gatepost.firewall.matrix import matrix
from gatepost.firewall.render import transaction
from gatepost.model.architecture import Host, Zone
from gatepost.model.bundle import Bundle, FileTaken, Ran
from gatepost.model.plan import Act, Ending, Found, Kind, Plan, Step
from gatepost.servers import boot
from tests.enforcement.house import NAME, NOW, House

RULES = ("nft", "-j", "list", "ruleset")
ADMIN = Zone("admin", (ip_network("203.0.113.0/24"),))
HOUSE = House(
    {"disable_vrfy_command": "no"}, {"smtp/inet": {}}, declared=("smtp", "submissions"),
    host=Host(NAME, ("192.0.2.5",), (), management=("admin",)), zones=(ADMIN,),
)  # fmt: skip
WAITING = replace(HOUSE, listeners={"imap-login/imap": 143})
SYSTEMD = FileTaken(boot.SYSTEMD, exists=True)
GONE = "\n".join(f"sha256sum: {path}: No such file or directory" for path in (boot.RULES, boot.UNIT))
NOTHING = Ran(boot.DIGESTS, 1, "", GONE)


def rendered(house: House) -> dict[str, object]:
    return dict(transaction(matrix(house.architecture), house.architecture.hosts[0], house.architecture))


def digest(whole: str) -> str:
    return sha256(whole.encode()).hexdigest()


def there(rules: str, service: str = unit(NAME)) -> Ran:
    return Ran(boot.DIGESTS, 0, f"{digest(rules)}  {boot.RULES}\n{digest(service)}  {boot.UNIT}\n")


def enabled(state: str = "enabled") -> Ran:
    return Ran(boot.ENABLED, 0 if state == "enabled" else 1, f"{state}\n")


def planned(house: House, *told: Ran, runs: bool = False, systemd: bool = True, by: str = "this machine") -> Plan:
    """`runs`: the table is loaded already."""
    listed = [entry["add"] for entry in rendered(house)["nftables"][2:]] if runs else []  # type: ignore[index] # JSON
    ran = (Ran(RULES, 0, json.dumps({"nftables": listed})), *told)
    bundle = Bundle(NAME, NOW, by, ran, (SYSTEMD,) if systemd else ())
    return desired(house.audit(), matrix(house.architecture), (bundle,), now=NOW)


def step(plan: Plan) -> Step | None:
    return next((one for one in plan.steps if one.key == KEY), None)


def the(plan: Plan) -> Step:
    found = step(plan)
    assert found is not None
    return found


def test_file_unit_and_links_in_one_step_behind_the_table() -> None:
    plan = planned(HOUSE, NOTHING, enabled(""))
    assert [one.key for one in plan.doing if one.kind is Kind.FIREWALL] == ["firewall:inet gatepost", KEY]
    told = the(plan)
    assert [(one.path, one.mode) for one in told.writes] == [(boot.RULES, 0o600), (boot.UNIT, 0o644)]
    assert json.loads(told.writes[0].text) == rendered(HOUSE)
    assert told.writes[0].text == text(rendered(HOUSE))
    assert told.touches == tuple(f"/etc/systemd/system/{one}.wants/{boot.NAME}" for one in PULLED_BY)
    assert [act.argv for act in told.acts] == [("systemctl", "enable", "--now", boot.NAME)]
    assert [act.argv for act in told.checks] == [("nft", "-c", "-j", "-f", boot.RULES)]
    assert [act.argv for act in told.undo] == [("systemctl", "daemon-reload")]
    assert told.found == (Found(boot.RULES, ""), Found(boot.UNIT, ""))


def test_nothing_where_it_lasts_already() -> None:
    good = text(rendered(HOUSE))
    assert step(planned(HOUSE, there(good), enabled(), runs=True)) is None
    assert step(planned(HOUSE, there(good), enabled())) is None


@pytest.mark.parametrize(
    ("told", "state", "why"),
    [
        (there("{}"), "enabled", "would start with other rules"),
        (there(text(rendered(HOUSE)), "[Unit]\n"), "enabled", "is not as gatepost writes it"),
        (there(text(rendered(HOUSE))), "disabled", "is disabled"),
        (there(text(rendered(HOUSE))), "", "is not enabled"),
        (NOTHING, "", "nothing loads it again"),
    ],
)
def test_what_drifted_is_planned_again(told: Ran, state: str, why: str) -> None:
    plan = planned(HOUSE, told, enabled(state), runs=True)
    assert [one.key for one in plan.doing if one.kind is Kind.FIREWALL] == [KEY]
    assert why in the(plan).why


def test_a_masked_unit_is_somebodys_decision() -> None:
    told = the(planned(HOUSE, NOTHING, enabled("masked")))
    assert told.by_hand
    assert "unmask" in told.diff


def test_without_systemd_a_person_says_how() -> None:
    told = the(planned(HOUSE, NOTHING, runs=True, systemd=False))
    assert told.by_hand
    assert f"gatepost firewall {NAME} --render nft > {boot.RULES}" in told.diff
    assert step(planned(HOUSE, there(text(rendered(HOUSE))), runs=True, systemd=False)) is None


def test_a_file_made_by_hand_is_right_also_while_ports_wait() -> None:
    """`gatepost firewall` prints the declaration alone."""
    assert step(planned(WAITING, there(text(rendered(WAITING))), systemd=False)) is None
    assert the(planned(WAITING, there("{}"), systemd=False)).by_hand


@pytest.mark.parametrize("by", ["namespace mx", "container mx"])
def test_what_somebody_else_starts_is_told_once(by: str) -> None:
    assert the(planned(HOUSE, NOTHING, by=by)).by_hand
    assert step(planned(HOUSE, NOTHING, by=by, runs=True)) is None


def test_the_way_declared_tells_too() -> None:
    inside = replace(HOUSE, host=replace(HOUSE.host, via="netns mx"))
    assert the(planned(inside, NOTHING)).by_hand


def test_nobody_asked() -> None:
    assert step(planned(HOUSE)) is None


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture
def service(tmp_path: Path) -> Path:
    made = tmp_path / boot.UNIT.lstrip("/")
    made.parent.mkdir(parents=True)
    made.write_text(unit(NAME))
    return made


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit(service: Path) -> None:
    ran = run("systemd-analyze", "verify", str(service))
    assert (ran.returncode, [line for line in ran.stderr.splitlines() if boot.NAME in line]) == (0, [])


@pytest.mark.skipif(not shutil.which("systemctl"), reason="systemctl is not installed")
def test_enabling_makes_the_links_the_step_saves(service: Path, tmp_path: Path) -> None:
    ran = run("systemctl", f"--root={tmp_path}", "enable", boot.NAME)
    links = {f"/{path.relative_to(tmp_path)}" for path in tmp_path.rglob("*") if path.is_symlink()}
    assert ran.returncode == 0, ran.stderr
    assert links == set(the(planned(HOUSE, NOTHING, enabled(""))).touches)
    assert service.exists()


def test_the_unit_says_what_the_shell_does() -> None:
    """Both commands, with the signs of systemd taken away."""
    said = unit(NAME).replace("; \\\n  ", "\n").replace("$$", "$").replace("%%", "%")
    assert said.count(f"=/bin/sh -c '{loading(f'{boot.BACKUPS}/{NAME}')}'\n") == 2


EARLIER, LATER = "1999-01-01", "2038-01-01"


@pytest.mark.parametrize(
    ("lock", "decision", "saved", "loaded"),
    [
        (None, None, "old", "new"),  # nothing is under way
        (EARLIER, None, "old", "old"),  # the reset button, before anybody kept it
        (EARLIER, None, None, ""),  # the first apply, likewise: no table, as before
        (EARLIER, "undo", "old", "old"),
        (EARLIER, "kept", "old", "new"),
        (EARLIER, None, "another file", "new"),  # of another apply, which has nothing to do with it
        (LATER, None, "old", "new"),  # started in the middle of an apply, by it
    ],
)
def test_what_nobody_kept_is_not_loaded(
    tmp_path: Path, lock: str | None, decision: str | None, saved: str | None, loaded: str
) -> None:
    """`cat` stands for nft: which file would be loaded."""
    rules, home, start = (tmp_path / name for name in ("rules.json", "home", "start"))
    before = home / "20261124-1" / "before"
    before.mkdir(parents=True)
    start.mkdir()
    rules.write_text("new")
    (before / "7.name").write_text(f"{'/etc/other' if saved == 'another file' else rules}\n")
    (before / ("7" if saved else "7.absent")).write_text(saved or "")
    if decision:
        (home / "20261124-1" / "decision").write_text(f"{decision}\n")
    if lock:
        (home / "lock").write_text("20261124-1\tsomebody\n")
        run("touch", "-d", lock, str(home / "lock"))
    script = loading(str(home), str(rules), str(start))
    assert "nft -j -f" in script
    ran = run("sh", "-c", script.replace("nft -j -f", "cat"))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, loaded, "")


def tree(root: Path) -> dict[str, str]:
    """Every file with its mode and text, every link with where it leads."""
    found = {}
    for path in root.rglob("*"):
        if path.is_symlink():
            found[str(path)] = f"-> {path.readlink()}"
        elif path.is_file():
            found[str(path)] = f"{path.stat().st_mode:o} {path.read_text()}"
    return found


def moved(one: Step, root: Path) -> Step:
    """The same under another root, where no systemd runs that could be told to reload."""
    return replace(
        one,
        kind=Kind.SERVICE,  # the table itself is the step before it
        touches=tuple(f"{root}{path}" for path in one.touches),
        writes=tuple(replace(w, path=f"{root}{w.path}") for w in one.writes),
        found=tuple(replace(f, path=f"{root}{f.path}") for f in one.found),
        acts=(Act(("systemctl", f"--root={root}", "enable", boot.NAME)),),
        checks=(),
        undo=(),
        already=(Act(("systemctl", f"--root={root}", "is-enabled", boot.NAME)),),
    )


@pytest.mark.skipif(not shutil.which("systemctl"), reason="systemctl is not installed")
@pytest.mark.parametrize("drifted", [False, True])
def test_kept_once_and_taken_back_whole(tmp_path: Path, drifted: bool) -> None:  # noqa: FBT001 - a table
    root = tmp_path / "root"
    (root / "etc/systemd/system").mkdir(parents=True)
    told = NOTHING
    if drifted:
        (root / boot.RULES[1:]).write_text("{}")
        (root / boot.UNIT[1:]).write_text(unit(NAME))
        run("systemctl", f"--root={root}", "enable", boot.NAME)
        told = there("{}")
    before = tree(root)
    made = moved(the(planned(HOUSE, told, enabled())), root)
    plan = Plan("20261124-1", NOW, "gatepost.toml", (made,))

    def applied(why: str) -> Ending:
        return apply(
            plan, {NAME: Prefixed("this machine")}, lambda: why, state=tmp_path / "state", ways={NAME: "local"},
            terms=Terms(backups=str(tmp_path / "backups")),
        ).ending  # fmt: skip

    assert applied("not as promised") is Ending.ROLLED_BACK
    assert tree(root) == before
    assert applied("") is Ending.KEPT
    after = tree(root)
    assert after[f"{root}{boot.RULES}"] == f"{'100644' if drifted else '100600'} {text(rendered(HOUSE))}"
    assert len([path for path in after if path.endswith(f".wants/{boot.NAME}")]) == len(PULLED_BY)
    assert applied("never looked at, as nothing is to be done") is Ending.KEPT
    record = next(one for one in records(tmp_path / "state") if one.ending is Ending.KEPT)
    roll_back(tmp_path / "state", record, lambda _way: Prefixed("this machine"), lambda: NOW)
    assert tree(root) == before
