"""Telling: an audit in, text out. `formats` lists every way it is written down."""
