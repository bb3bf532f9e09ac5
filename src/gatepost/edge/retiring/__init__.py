"""Retirements on disk, and the hour in which a port is shut on trial."""
