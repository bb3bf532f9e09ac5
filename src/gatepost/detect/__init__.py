"""Detections: rules over signals, compiled to SQL or counted live, folded into alerts."""
