set -uf
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
trap '' HUP INT QUIT PIPE
cd "$DIR" || exit 1
trouble='' unlike=''

say() {
    printf '%s\n' "$*"
    printf '%s\n' "$*" >>undo.log 2>/dev/null
}

any() { # DIRECTORY NUMBER...: one of these was begun
    where=$1
    shift
    for number; do [ ! -d "$where/$number" ] || return 0; done
    return 1
}

beside() {
    printf '%s/.%s.%s' "$(dirname -- "$1")" "$(basename -- "$1")" "$2"
}

marks() { # mode, owner, group
    set -- $(ls -lnd "$1" 2>/dev/null) - - - -
    printf '%.10s %s %s' "$1" "$3" "$4"
}

same() { # NUMBER: octets, mode, owner, and the link that led there
    target=$(cat "before/$1.path")
    if [ -e "before/$1.link" ]; then
        [ "$(readlink -- "$(cat "before/$1.name")")" = "$(cat "before/$1.link")" ] || return 1
    fi
    if [ -e "before/$1.absent" ]; then
        [ ! -e "$target" ]
    else
        cmp -s "before/$1" "$target" && [ "$(marks "before/$1")" = "$(marks "$target")" ]
    fi
}

put_back() { # NUMBER
    target=$(cat "before/$1.path") name=$(cat "before/$1.name")
    if [ -d "$target" ]; then # a file moved there would end up inside it
        unlike="$unlike $name"
        return
    fi
    ready=$(beside "$target" gatepost-before) new=$(beside "$target" gatepost-new)
    set_aside "$1" "$target"
    if [ -e "before/$1.absent" ]; then
        rm -f -- "$target"
    else
        [ -d "$(dirname -- "$target")" ] || mkdir -p -- "$(dirname -- "$target")"
        if cmp -s "before/$1" "$ready"; then
            mv -f -- "$ready" "$target"
        elif ! same "$1"; then
            cp -p -- "before/$1" "$new" && mv -f -- "$new" "$target"
        fi
    fi
    if [ -e "before/$1.link" ] && [ ! -L "$name" ]; then
        rm -f -- "$name" && ln -s -- "$(cat "before/$1.link")" "$name"
    fi
    rm -f -- "$ready" "$new"
    same "$1" || unlike="$unlike $name"
    to_disk "$target" "$(dirname -- "$target")"
}

to_disk() { # FILE...: not for one that is gone
    [ -e "$1" ] || shift
    sync "$@" 2>/dev/null || sync
}

tidy() { # NUMBER: of a file we did not come to
    target=$(cat "before/$1.path")
    rm -f -- "$(beside "$target" gatepost-before)" "$(beside "$target" gatepost-new)"
}

set_aside() { # what somebody else wrote meanwhile is not lost
    [ -e "$2" ] && ! cmp -s "before/$1" "$2" && ! cmp -s "after/$1" "$2" || return 0
    mkdir -p replaced 2>/dev/null && cp -p -- "$2" "replaced/$1" 2>/dev/null
}

heard=/dev/null

run() { # INPUT WORD...
    input=$1
    shift
    (: >given/undo) 2>/dev/null && heard=$DIR/given/undo # alone: where it cannot, the shell itself would end
    if command -v timeout >/dev/null; then set -- timeout 60 "$@"; fi
    (umask 022 && cd / && "$@" <"$input" >"$heard" 2>&1)
}

act() { # INPUT WORD...
    run "$@" && return
    code=$?
    shift
    trouble=1
    say "trouble: $* failed with status $code: $(tail -n 1 "$heard" 2>/dev/null)"
}

settle() { # WORD...: a reload; what it says counts only if the daemon cannot be started either
    run /dev/null "$@"
}

start() { # [again]
    if [ -e undone ] && [ "${1:-}" != again ]; then
        echo "undone already; to do it once more: sh $DIR/undo.sh again"
        exit 0
    fi
    ln undo decision 2>/dev/null
    if [ -d undoing ]; then # another one is at it, or was killed
        tries=0
        while pid=$(cat undoing/pid 2>/dev/null) && [ "$pid" != "$$" ] && kill -0 "$pid" 2>/dev/null; do
            [ "$tries" -lt 120 ] && grep -qs undo "/proc/$pid/cmdline" || break
            tries=$((tries + 1))
            sleep 1
        done
        if [ -e undone ]; then exit 0; fi
    fi
    mkdir -p undoing 2>/dev/null && echo "$$" >undoing/pid 2>/dev/null
}

finish() {
    if [ -n "$unlike" ]; then
        say "unlike before:$unlike"
        printf 'unlike before:%s\n' "$unlike" >&2
        exit 1
    fi
    [ -e undone ] || mv undone.ready undone 2>/dev/null || {
        printf '%s\n' "the files are as before, which cannot be noted in $DIR" >&2
        exit 1
    }
    to_disk .
    rm -rf undoing
    ! cmp -s who ../lock || rm -f ../lock
    say "undone${trouble:+, with trouble}"
    exit 0
}
