"""The unit that runs `gatepost watch` under systemd: with what it needs, and nothing else."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

UNIT = """\
# As /etc/systemd/system/gatepost-watch.service. {state} has to be there before it starts.
[Unit]
Description=gatepost: the mail ports' logs watched as one
After=network.target nftables.service
Documentation=man:systemd.exec(5)

[Service]
Type=notify
{environment}ExecStart={command}
ExecReload=kill -HUP $MAINPID
WatchdogSec=60
Restart=on-failure
RestartSec=5
# nftables, ending connections, and reading logs of others: three rights of root, and no more of it
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_DAC_READ_SEARCH
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={state}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def text(config: Path | None, state: Path) -> str:
    """With paths that hold wherever it is started from."""
    declared = (config or Path("gatepost.toml")).resolve()
    words = (sys.executable, "-m", "gatepost", "watch", "-c", str(declared), "--state", str(state.resolve()))
    found = os.environ.get("PYTHONPATH", "")  # run from a clone
    environment = f"Environment={shlex.quote(f'PYTHONPATH={found}')}\n" if found else ""
    told = {"command": shlex.join(words), "state": str(state.resolve()), "environment": environment}
    return UNIT.format(**{name: words.replace("%", "%%") for name, words in told.items()})
