# gatepost: what a developer runs. `make check` is quick; `make test` installs what it needs and runs everything.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: check test live bench lab fix docs clean
