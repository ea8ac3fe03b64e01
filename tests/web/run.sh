#!/bin/sh
# Runs a script of this folder with the packages of tests/clients at hand;
# arguments go to the script. Exit status 77, after a line that says why, where
# they cannot be installed.
#
#   usage: run.sh TARGET SCRIPT.js [ARGUMENT...]
#
# TARGET is the folder that tests/clients/install.sh installs into.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
target=${1:?usage: run.sh TARGET SCRIPT.js [ARGUMENT...]}
script=${2:?usage: run.sh TARGET SCRIPT.js [ARGUMENT...]}
shift 2

"$here/../clients/install.sh" "$target"
ERX_CLIENTS=$target exec node "$here/$script" "$@"
