#!/bin/sh
# Watches over one apply: undoes it when gatepost was not heard from for as long as it may be silent.
# It counts its own seconds, so a clock that is set forward or back changes nothing.
set -uf
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
trap '' HUP INT QUIT PIPE

dir=$1
cd "$dir" || exit 1
echo "$$" >guardian || exit 1

busy() {
    pid=$(cat busy 2>/dev/null)
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
    [ ! -r "/proc/$pid/cmdline" ] || tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "${dir##*/}"
}

heard='' left=60
while [ ! -e undone ] && [ "$left" -gt 0 ]; do
    [ "$(cat decision 2>/dev/null)" != kept ] && [ -e undo.sh ] || exit 0
    beat='' allowed=0
    read -r beat allowed 2>/dev/null <alive
    if [ -n "$beat" ] && [ "$beat" != "$heard" ]; then heard=$beat left=$allowed; fi
    sleep 1
    left=$((left - 1))
done
[ ! -e undone ] || exit 0

ln undo decision 2>/dev/null
# It was kept at the last moment. What nobody can write any more (a disk that failed) nobody has kept.
[ "$(cat decision 2>/dev/null)" != kept ] || exit 0
printf 'guardian: gatepost was silent for %s seconds\n' "${allowed:-60}" >>undo.log 2>/dev/null
tries=0
while busy && [ "$tries" -lt 60 ]; do
    tries=$((tries + 1))
    sleep 1
done
exec sh "$dir/undo.sh" >/dev/null 2>&1
