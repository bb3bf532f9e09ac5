"""Retirements: what is to go, who still uses it, when it goes, and what they are told."""
