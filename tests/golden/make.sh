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

# settle FILE: the file in scratch is the committed one, or becomes it.
settle() {
    if [ -n "$check" ]; then
        cmp "$scratch/$1" "$here/$1"
    else
        cp "$scratch/$1" "$here/$1"
    fi
}

for game in 0 13 27; do
    "$erx" rollout --model "$models/world" --trace "$models/scripted.trace" \
        --game "$game" --frames 300 --hash >"$scratch/world_$game.hashes"
    settle "world_$game.hashes"
done

# An MLP world model: weights from a seed, the arithmetic of the reference.
"$erx" synth --preset mlp --seed 1 --out "$scratch/mlp"
for isa in --isa=scalar ""; do
    "$erx" rollout --model "$scratch/mlp" --trace "$models/scripted.trace" \
        --game 0 --frames 300 --hash ${isa:+"$isa"} >"$scratch/mlp_0.hashes"
    settle mlp_0.hashes
done

# Profile i16ssm-2. make_wide.py writes this file: here it is only compared.
"$erx" synth --preset micro --profile i16ssm-2 --seed 1 --out "$scratch/wide" >"$scratch/health"
for isa in --isa=scalar ""; do
    "$erx" rollout --model "$scratch/wide" --trace "$models/scripted.trace" \
        --game 0 --frames 120 --hash ${isa:+"$isa"} >"$scratch/wide_0.hashes"
    cmp "$scratch/wide_0.hashes" "$here/wide_0.hashes"
done
