#!/bin/sh
# Makes the golden hashes anew, or with --check compares them.
# usage: make.sh ERX [--check]
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ] || { [ $# -eq 2 ] && [ "$2" != --check ]; }; then
    echo "usage: make.sh ERX [--check]" >&2
    exit 2
fi
erx=$1
check=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
models=$here/../../models
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for game in 0 13 27; do
    "$erx" rollout --model "$models/world" --trace "$models/scripted.trace" \
        --game "$game" --frames 300 --hash >"$scratch/world_$game.hashes"
    if [ -n "$check" ]; then
        cmp "$scratch/world_$game.hashes" "$here/world_$game.hashes"
    else
        cp "$scratch/world_$game.hashes" "$here/world_$game.hashes"
    fi
done
