"""The parts of `watch`: who is spared."""
