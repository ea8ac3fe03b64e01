#!/bin/sh
# Makes one static library of several, whose only global symbols are the public
# ones: static_library.sh OUTPUT WORK_DIRECTORY LIBRARY...
set -eu

output=$1
work=$2
shift 2
mkdir -p "$work"

ld -r -o "$work/erx.o" --whole-archive "$@"
# What is visible by default is public; all else becomes local.
readelf --symbols --wide "$work/erx.o" |
    awk '$5 == "GLOBAL" && $6 == "DEFAULT" && $7 != "UND" {print $8}' >"$work/public"
objcopy --keep-global-symbols="$work/public" "$work/erx.o"
rm -f "$output"
ar crs "$output" "$work/erx.o"
