#!/bin/bash
# Builds the earlier version in a temporary worktree and runs it beside the present version. With -record, it also
# records test/upgrade/testdata again. Needs a clone with history.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$(mktemp -d)
trap 'git worktree remove --force "$folder/source"; rm -rf "$folder"' EXIT
git worktree add --quiet --detach "$folder/source" 7fc6dd0
(cd "$folder/source" && go build -o "$folder/errand" ./cmd/errand)
go test -count=1 -v -run '^(TestRecord|TestSideBySide)' ./test/upgrade -earlier "$folder/errand" "$@"
