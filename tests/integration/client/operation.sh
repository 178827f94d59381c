#!/bin/sh
# What the server of these tests runs for each request: the words of an exec request, split as sh splits them.
eval "set -- $SSH_ORIGINAL_COMMAND"
operation=$1
shift
case $operation in
demo//ping) echo "pong! - $(hostname)" ;;
demo//ps) for word in "$@"; do printf '<%s>\n' "$word"; done ;;
demo//status) # exit with the status given
    echo out
    echo err >&2
    exit "$1" ;;
demo//list) kill -TERM $$ ;;
demo//build) # a line at once, another only when the file given exists
    echo first
    while [ ! -e "$1" ]; do sleep 0.05; done
    echo second ;;
demo//pull) # 20 MB on stdout, and as much on stderr at the same time
    head -c 20000000 "$1" >&2 &
    head -c 20000000 "$1"
    wait ;;
demo//logs) # until nobody reads; then make the file given
    trap '' PIPE
    while echo tick 2>/dev/null; do sleep 0.05; done
    : >"$1" ;;
demo//up) # begins, and finishes whatever the client does
    trap '' PIPE HUP TERM
    echo began
    while [ ! -e "$1" ]; do sleep 0.05; done
    : >"$1.finished" ;;
demo//sync) # the server vanishes in mid-stream, when the file given exists
    echo half
    while [ ! -e "$1" ]; do sleep 0.05; done
    kill -KILL "$PPID" ;;
*) echo "unknown: $operation" >&2; exit 64 ;;
esac
