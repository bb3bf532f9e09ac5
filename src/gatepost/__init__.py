"""gatepost: the mail ports of a host as one controlled asset."""

__version__ = "0.1.0"
