"""The watch: blocks that are set and proved, alerts that are delivered, figures for Prometheus."""
