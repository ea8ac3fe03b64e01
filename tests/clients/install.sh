#!/bin/sh
# Makes TARGET a folder in which the scripts beside this file run: copies them
# there and installs the packages of package-lock.json, unless these very ones
# are installed already; that needs no network.
#
#   usage: install.sh TARGET
#
# Exit status 77, after a line that says why, where it cannot be done.
set -eu

source=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
target=${1:?usage: install.sh TARGET}
node_oldest=20
seconds_to_install=240

skip() {
    echo "client tests skipped: $1"
    exit 77
}

command -v node >/dev/null || skip "node is not installed"
version=$(node --version)
major=${version#v}
[ "${major%%.*}" -ge "$node_oldest" ] || skip "node $version is older than $node_oldest"

mkdir -p "$target"
# Tests of one build run at the same time.
exec 9>"$target/lock"
flock 9
for file in "$source"/*.js "$source"/package.json "$source"/package-lock.json; do
    cmp -s "$file" "$target/${file##*/}" || cp "$file" "$target"
done

stamp=$target/installed-lock.json
cmp -s "$source/package-lock.json" "$stamp" && exit 0
command -v npm >/dev/null || skip "npm is not installed"
rm -f "$stamp"
(cd "$target" && timeout "$seconds_to_install" \
    npm ci --ignore-scripts --no-audit --no-fund --prefer-offline >install.log 2>&1) ||
    skip "npm could not install the packages (see $target/install.log)"
cp "$source/package-lock.json" "$stamp"
