#!/bin/sh
# Builds the compiled scanner beside the Python that loads it, where rustc is and the source is newer. Without it
# everything works, only slower; so a failure is told and is no error.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
built=${1:-$here/../src/gatepost/edge/logs/gatepost-scanner.so}

if [ -f "$built" ] && [ -z "$(find "$here/scanner" -name '*.rs' -newer "$built")" ]; then
    exit 0
fi
command -v rustc > /dev/null 2>&1 || exit 0
partial=$built.$$
trap 'rm -f "$partial"' EXIT
if rustc --edition 2021 --crate-type cdylib --crate-name gatepost_scanner -C opt-level=3 -C codegen-units=1 -C strip=symbols \
    -o "$partial" "$here/scanner/lib.rs" > "$partial.log" 2>&1; then
    mv "$partial" "$built"
else
    echo "gatepost: the compiled scanner could not be built, reading logs is slower without it:" >&2
    tail -n 5 "$partial.log" >&2
fi
rm -f "$partial.log"
