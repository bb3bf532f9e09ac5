"""The parts of our own table `inet gatepost`, as libnftables JSON (libnftables-json(5))."""
