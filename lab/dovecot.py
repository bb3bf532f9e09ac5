"""Dovecot of the lab: one instance for all sites that need nothing special, one each for those that do."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from lab.places import program, run
from lab.site import DOVECOT_PORTS, Site

TEMPLATE = """\
base_dir = {home}/run
instance_name = {name}
log_path = {home}/dovecot.log
listen = {addresses}
protocols = imap pop3 sieve lmtp
import_environment = TZ
default_vsz_limit = 512M
login_greeting = ready
mail_location = maildir:{home}/mail/%u
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
auth_mechanisms = plain
disable_plaintext_auth = yes
login_trusted_networks =
ssl = required
ssl_cert = <{chain}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
ssl_cipher_list = ECDHE+AESGCM:ECDHE+CHACHA20
ssl_prefer_server_ciphers = yes
ssl_options = no_compression
passdb {{
  driver = passwd-file
  args = {users}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/mail/%u
}}
service auth {{
  unix_listener {socket} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = {addresses}
    port = 24
  }}
}}
{logins}
"""
LOGIN = """\
service {name}-login {{
  service_count = {count}
}}
"""


def write(
    home: Path, sites: tuple[Site, ...], papers: dict[tuple[str, int], Path], users: Path, socket: Path, *, stock: bool
) -> None:  # fmt: skip
    """`stock` keeps Dovecot's way of one login process per connection; otherwise one serves many."""
    home.mkdir(parents=True, exist_ok=True)
    first = papers[sites[0].name, 0]
    logins = "".join(LOGIN.format(name=n, count=1 if stock else 0) for n in ("imap", "pop3", "managesieve"))
    text = TEMPLATE.format(
        home=home,
        name=f"gatepost-{home.name}",
        addresses=", ".join(site.address for site in sites),
        chain=first,
        key=first,
        users=users,
        socket=socket,
        logins=logins,
    )
    text += "".join(_local(site, papers) for site in sites) + "".join(site.dovecot for site in sites)
    (home / "dovecot.conf").write_text(text)


def _local(site: Site, papers: dict[tuple[str, int], Path]) -> str:
    """Certificates per address, and per protocol where a port has its own."""
    special = "".join(
        f"  protocol {protocol} {{\n{_files(papers[site.name, port])}  }}\n"
        for port, protocol in DOVECOT_PORTS.items()
        if (site.name, port) in papers
    )
    return f"local {site.address} {{\n{_files(papers[site.name, 0])}{special}}}\n"


def _files(chain: Path) -> str:
    return f"  ssl_cert = <{chain}\n  ssl_key = <{chain}\n"


def start(home: Path) -> None:
    if not running(home):
        run(program("dovecot"), "-c", str(home / "dovecot.conf"))


def stop(home: Path) -> None:
    pid = _pid(home)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while running(home) and time.monotonic() < deadline:
        time.sleep(0.05)


def running(home: Path) -> bool:
    return _pid(home) is not None


def _pid(home: Path) -> int | None:
    try:
        pid = int((home / "run" / "master.pid").read_text())
        ours = b"dovecot" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if ours else None
