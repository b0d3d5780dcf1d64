#!/usr/bin/env bash
# try_train.sh TRAIN CACHE FOLDER: the second call goes on where the first ended.
set -euo pipefail
train=$1 cache=$2 folder=$3
source "$(dirname "${BASH_SOURCE[0]}")/says.sh"
cache=$(small_cache "$cache")
"$train" "$cache" "$folder/run" 2
"$train" "$cache" "$folder/run" 4 | tee "$folder/second"
grep -q 'resumed at step 2' "$folder/second" || fail "it does not go on"
says 'usage: train CACHE FOLDER' "$train"
