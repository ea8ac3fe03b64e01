#!/bin/sh
# Runs a script of this folder with the client packages at hand; arguments go
# to the script. Exit status 77 where they cannot be installed.
#
#   usage: run.sh TARGET SCRIPT.js [ARGUMENT...]
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
target=${1:?usage: run.sh TARGET SCRIPT.js [ARGUMENT...]}
script=${2:?usage: run.sh TARGET SCRIPT.js [ARGUMENT...]}
shift 2

"$here/install.sh" "$target"
exec node "$target/$script" "$@"
