"""One table of patterns for each daemon: anchored at both ends, because strangers write part of every line."""
