# Gatepost's hand on a host, one verb a call: sh -c "$(cat hand.sh)" gatepost VERB HOME ID ...
# HOME is the host's directory of backups, HOME/ID the directory of one apply. POSIX sh and the usual tools.
# Exit status: 0 done, 1 not done (why on stderr), 75 somebody else is at it, 76 the apply was decided meanwhile.
set -uf
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # a command over SSH is no login
LC_ALL=C
export PATH LC_ALL

verb=$1 home=$2 id=$3
shift 3
dir=$home/$id

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Written to the disk itself: what the next step relies on survives a power cut.
to_disk() { # FILE...
    sync "$@" 2>/dev/null || sync
}

all_to_disk() {
    (set +f && to_disk "$home" "$dir" "$dir"/* "$dir"/*/*)
}

# A process that is there and is what we think it is; its number may have gone to another one.
lives() { # PID WORD
    [ -n "$1" ] && kill -0 "$1" 2>/dev/null || return 1
    [ ! -r "/proc/$1/cmdline" ] || tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$2"
}

nap() {
    sleep 0.1 2>/dev/null || sleep 1
}

# In our own process group, so that whoever ends us ends it too.
bounded() { # SECONDS WORD...
    limit=$1
    shift
    if timeout --foreground 9 true 2>/dev/null; then
        timeout --foreground "$limit" "$@"
    elif command -v timeout >/dev/null; then
        timeout "$limit" "$@"
    else
        "$@"
    fi
}

beside() { # TARGET ENDING: a name that no include of a daemon matches
    printf '%s/.%s.%s' "$(dirname -- "$1")" "$(basename -- "$1")" "$2"
}

held() {
    [ -e "$home/lock" ]
}

undecided() {
    [ ! -e "$dir/decision" ] || {
        printf 'it was taken back on the host meanwhile\n' >&2
        exit 76
    }
}

# What lies here is run with our rights, so nobody else may put something in its place, on no part of the way.
safe() {
    for way in "$home" "$(cd "$home" 2>/dev/null && pwd -P)"; do
        while [ -n "$way" ]; do
            others "$way" || die "others than root may change what is in $way: scripts are not safe in $home"
            case $way in */*) way=${way%/*} ;; *) way='' ;; esac
        done
    done
    others /
}

others() { # PATH: none of them can replace what is in it
    # shellcheck disable=SC2046 # words are wanted
    set -- "$1" $(ls -ldn -- "$1" 2>/dev/null)
    [ "${4:-}" = 0 ] || [ "${4:-}" = "$(id -u)" ] || return 1
    case $2 in
    l* | ?????????[tT]*) return 0 ;; # of a link its place counts; where the sticky bit is set, each has only his own
    ????????w*) return 1 ;;
    ?????w*) [ "$5" = 0 ] ;;
    esac
}

take_lock() {
    ln "$dir/who" "$home/lock" 2>/dev/null && return
    held || die "no lock can be made in $home"
    refuse_held
}

refuse_held() {
    cut -f 2- "$home/lock" >&2
    exit 75
}

free() { # nobody else is at it
    ! held || cmp -s "$dir/who" "$home/lock" || refuse_held
}

release() {
    ! cmp -s "$dir/who" "$home/lock" || rm -f "$home/lock"
}

# What decides between us and the guardian: a hard link is made once, and needs no room on a full disk.
decide() { # kept | undo
    ln "$dir/$1" "$dir/decision" 2>/dev/null || [ "$(cat "$dir/decision" 2>/dev/null)" = "$1" ]
}

open_directory() { # WHO
    mkdir -p "$home" 2>/dev/null && [ -w "$home" ] || die "$home cannot be made or entered"
    safe
    ! held || refuse_held
    [ ! -e "$dir" ] || die "$dir is there already: this plan was applied from elsewhere"
    mkdir "$dir" || die "$dir cannot be made"
    fill "$1" || {
        rm -rf -- "$dir"
        die "there is no room in $home"
    }
    (take_lock) && return
    code=$?
    rm -rf -- "$dir"
    exit "$code"
}

fill() { # WHO
    for made in before after begun settling given undone.ready; do mkdir "$dir/$made" || return 1; done
    printf '%s\t%s\n' "$id" "$1" >"$dir/who" && printf 'kept\n' >"$dir/kept" && printf 'undo\n' >"$dir/undo" &&
        : >"$dir/undo.log"
}

# What comes on stdin, whole: a connection that breaks looks like the end of it.
receive() { # FILE OCTETS
    cat >"$1" || return 1
    [ "$(wc -c <"$1")" -eq "$2" ] || {
        printf 'only part of it arrived\n' >&2
        return 1
    }
}

store() { # NAME OCTETS
    receive "$dir/$1" "$2" || die "$dir/$1 cannot be written"
}

save() { # PATH...: into before/1, before/2, ... with what it takes to put them back on a full disk
    number=0
    for name; do
        number=$((number + 1))
        save_one "$number" "$name"
    done
}

save_one() { # NUMBER PATH
    target=$2
    if [ -L "$2" ]; then
        target=$(readlink -f -- "$2") || die "$2 is a link that leads nowhere"
        readlink -- "$2" >"$dir/before/$1.link" || die "$2 cannot be saved"
    fi
    printf '%s\n' "$2" >"$dir/before/$1.name" && printf '%s\n' "$target" >"$dir/before/$1.path" ||
        die "$2 cannot be saved in $dir"
    if [ ! -e "$target" ]; then
        : >"$dir/before/$1.absent" || die "$2 cannot be saved in $dir"
        return
    fi
    [ -f "$target" ] || die "$2 is no regular file"
    cp -p -- "$target" "$dir/before/$1" && cmp -s -- "$target" "$dir/before/$1" || die "$2 cannot be saved in $dir"
    ready "$1" "$target" || die "there is no room for a copy beside $2"
}

# A copy beside the file: putting it back is one rename, which needs no room.
ready() { # NUMBER TARGET
    copy=$(beside "$2" gatepost-before)
    cp -p -- "$dir/before/$1" "$copy" && cmp -s -- "$dir/before/$1" "$copy" && return
    rm -f -- "$copy"
    return 1
}

sweep() { # no copy stays beside a file
    for path in $(saved); do
        target=$(cat "$dir/before/$path.path")
        rm -f -- "$(beside "$target" gatepost-before)" "$(beside "$target" gatepost-new)"
    done
}

saved() {
    (set +f && cd "$dir/before" 2>/dev/null && for path in *.path; do [ ! -e "$path" ] || echo "${path%.path}"; done)
}

arm() { # SECONDS
    all_to_disk
    beat "$1"
    : >"$dir/armed" || die "no room in $dir"
    if command -v setsid >/dev/null; then
        setsid sh "$dir/guardian.sh" "$dir" </dev/null >/dev/null 2>&1 &
    else
        nohup sh "$dir/guardian.sh" "$dir" </dev/null >/dev/null 2>&1 &
    fi
    tries=0
    while ! lives "$(cat "$dir/guardian" 2>/dev/null)" "$dir"; do
        tries=$((tries + 1))
        [ "$tries" -lt 50 ] || die "no guardian could be started"
        nap
    done
    to_disk "$dir" "$dir/armed"
}

beat() { # SECONDS
    old=$(cat "$dir/alive" 2>/dev/null)
    printf '%s %s\n' "$((${old%% *} + 1))" "$1" >"$dir/alive.new" && mv -f "$dir/alive.new" "$dir/alive" ||
        die "no room in $dir"
}

begin() { # begun/NUMBER | settling/NUMBER
    busy
    mkdir -p "$dir/$1" || die "no room in $dir"
    to_disk "$dir/$1" "${dir}/${1%/*}"
    idle
}

# We say that we are at it, then look whether it was decided; the guardian decides, then looks whether we are at it.
busy() {
    printf '%s\n' "$$" >"$dir/busy" || die "no room in $dir"
    [ ! -e "$dir/decision" ] || idle
    undecided
}

idle() {
    rm -f "$dir/busy"
}

put() { # NUMBER MODE OCTETS
    busy
    put_one "$@"
    code=$?
    idle
    exit "$code"
}

put_one() {
    target=$(cat "$dir/before/$1.path")
    [ -d "$(dirname -- "$target")" ] || die "the directory of $target is gone"
    [ ! -d "$target" ] || die "$target became a directory"
    new=$(beside "$target" gatepost-new)
    rm -f -- "$new"
    if [ -e "$target" ]; then cp -p -- "$target" "$new"; else : >"$new" && chmod "$2" "$new"; fi &&
        receive "$new" "$3" && to_disk "$new" && mv -f -- "$new" "$target" && return
    rm -f -- "$new"
    printf '%s cannot be written\n' "$target" >&2
    return 1
}

act() { # OCTETS SECONDS WORD...: prints its exit status, then what it said
    busy
    receive "$dir/given/in" "$1" || { idle; exit 1; }
    limit=$2
    shift 2
    : >"$dir/given/out"
    (umask 022 && cd / && bounded "$limit" "$@" <"$dir/given/in" >"$dir/given/out" 2>&1)
    code=$?
    relink
    idle
    printf '%s\n' "$code"
    cat "$dir/given/out"
    rm -f "$dir/given/in" "$dir/given/out"
}

# postconf replaces a link by a file of its own: what it wrote goes where the link led, and the link comes back.
relink() {
    for number in $(saved); do
        [ -e "$dir/before/$number.link" ] || continue
        name=$(cat "$dir/before/$number.name") target=$(cat "$dir/before/$number.path")
        { [ ! -L "$name" ] && [ -f "$name" ]; } || continue
        new=$(beside "$target" gatepost-new)
        cp -p -- "$name" "$new" && mv -f -- "$new" "$target" && rm -f -- "$name" &&
            ln -s -- "$(cat "$dir/before/$number.link")" "$name"
    done
}

after() { # how we leave the files, to know later whether somebody else changed them
    undecided
    for number in $(saved); do
        target=$(cat "$dir/before/$number.path")
        if [ -e "$target" ]; then
            cp -p -- "$target" "$dir/after/$number" && cmp -s -- "$target" "$dir/after/$number"
        else
            : >"$dir/after/$number.absent"
        fi || die "no room in $dir"
        to_disk "$target" "$(dirname -- "$target")"
    done
    all_to_disk
}

keep() {
    decide kept || {
        undecided
        die "$dir cannot be written: it is not kept"
    }
    to_disk "$dir"
    sweep
    release
    prune
}

MOST=20 # of what is over and done with

prune() { # the newest stay
    count=0
    ls -1t "$home" | while read -r name; do
        old=$home/$name
        [ -e "$old/undone" ] || [ "$(cat "$old/decision" 2>/dev/null)" = kept ] || continue
        count=$((count + 1))
        [ "$count" -le "$MOST" ] || rm -rf -- "$old"
    done
}

ask() { # one word a line: what became of it here
    [ -e "$dir/armed" ] || { echo nothing; return; }
    if [ -e "$dir/undone" ]; then echo undone; else cat "$dir/decision" 2>/dev/null || echo open; fi
    ! lives "$(cat "$dir/guardian" 2>/dev/null)" "$dir" || echo guarded
    [ ! -s "$dir/undo.log" ] || cat "$dir/undo.log"
}

undo() { # also when nothing was begun
    [ -d "$dir" ] || return 0
    safe
    [ -e "$dir/armed" ] || { forget; return; }
    [ ! -e "$dir/undone" ] || return 0
    ln "$dir/undo" "$dir/decision" 2>/dev/null
    wait_for_busy
    sh "$dir/undo.sh"
}

wait_for_busy() {
    tries=0
    while lives "$(cat "$dir/busy" 2>/dev/null)" "$id" && [ "$tries" -lt 600 ]; do
        tries=$((tries + 1))
        nap
    done
}

strangers() { # files that are not as we left them, one a line
    [ -e "$dir/armed" ] && [ -e "$dir/undo.sh" ] || die "there is no backup in $dir"
    for number in $(saved); do
        target=$(cat "$dir/before/$number.path")
        if [ -e "$dir/after/$number.absent" ]; then [ ! -e "$target" ]; else cmp -s "$dir/after/$number" "$target"; fi ||
            cat "$dir/before/$number.name"
    done
}

reopen() { # what was kept is taken back after all: lock it, make sure there is room, and say so
    safe
    [ -e "$dir/armed" ] && [ -e "$dir/undo.sh" ] || die "there is no backup in $dir"
    held && cmp -s "$dir/who" "$home/lock" || take_lock
    for number in $(saved); do
        [ ! -e "$dir/before/$number" ] || ready "$number" "$(cat "$dir/before/$number.path")" || {
            sweep
            release
            die "there is no room for a copy beside $(cat "$dir/before/$number.name")"
        }
    done
    rm -f "$dir/decision.new"
    ln "$dir/undo" "$dir/decision.new" && mv -f "$dir/decision.new" "$dir/decision" || die "$dir cannot be written"
    to_disk "$dir"
}

forget() {
    sweep
    release
    rm -rf -- "$dir"
}

digest() { # PATH...: SHA-256, or - for none
    for path; do
        if [ ! -e "$path" ]; then echo -
        elif command -v sha256sum >/dev/null; then sha256sum <"$path" | cut -c 1-64
        elif command -v sha256 >/dev/null; then sha256 -q <"$path"
        else openssl dgst -sha256 -r <"$path" | cut -c 1-64
        fi || die "$path cannot be read"
    done
}

case $verb in
open) open_directory "$@" ;;
after | arm | ask | act | beat | begin | digest | forget | free | keep | put | reopen | save | store | strangers | undo) "$verb" "$@" ;;
*) die "no verb $verb" ;;
esac
