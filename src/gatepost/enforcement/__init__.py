"""Desired minus observed: the parts of the plan."""
