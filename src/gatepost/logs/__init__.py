"""Mail logs: the header of a line, the dialects of the daemons, and what was not understood."""
