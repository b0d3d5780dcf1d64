#!/usr/bin/env bash
# try.sh PROGRAM CACHE FOLDER: what an experiment does with a file, a command line, a resume, two ranks and mistakes.
set -euo pipefail
program=$1 cache=$2 folder=$3
rm -rf "$folder"
mkdir -p "$folder"
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
says() { # <text> <command>...: the command fails and says it
  local text=$1
  shift
  if "$@" >"$folder/said" 2>&1; then fail "$* should fail"; fi
  grep -qF -- "$text" "$folder/said" || fail "$* says not \"$text\" but: $(tail -n 3 "$folder/said")"
}

cat >"$folder/config.json" <<JSON
{"data": {"paths": ["$cache/data/emoji"], "format": "emoji", "size": 60},
 "loader": {"batch": 8}, "variant": {"weights": "$cache/weights", "grid": 4},
 "train": {"optimizer": {"learning_rate": 3e-4, "layer_decay": {"text.": 0.9}}, "schedule": {"warmup": 1, "total": 9}},
 "checkpoint": {"folder": "$folder/run"}}
JSON
run=("$program" --config "$folder/config.json")

"${run[@]}" --train.schedule.total 2 | tee "$folder/first"
grep -q '"total": 2' "$folder/first" || fail "the command line goes before the file"
"${run[@]}" --train.schedule.total 3 | tee "$folder/second"
grep -q 'resumed at step 2' "$folder/second" || fail "it does not go on"
grep -q '"batch": 8' "$folder/run/step-3/configuration.json" || fail "the configuration is not in the checkpoint"
[[ -s $folder/run/report.html && $(wc -l <"$folder/run/log.jsonl") -ge 1 ]] || fail "no report or log"

echo '{"train": {"ema2": 1}}' >"$folder/wrong.json"
says 'there is no option "train.ema2"; did you mean "train.ema"?' "$program" --config "$folder/wrong.json"
says '"train.ema" must be in [0, 1), is 2' "${run[@]}" --train.ema 2
says 'no data set is given' "$program"
says 'none' "${run[@]}" --data.paths "$folder/none"
if [[ -n ${RC3_TEST_PYTHON:-} ]]; then
  "$RC3_TEST_PYTHON" -m torch.distributed.run --standalone --no-python --nproc-per-node=2 "${run[@]}" --train.schedule.total 2 \
    --checkpoint.folder "$folder/ranks" --threads 1 2>&1 | tee "$folder/ranks.log"
  [[ -s $folder/ranks/step-2/manifest.json ]] || fail "two ranks"
fi
echo "an experiment from a file, resumed, on two ranks, with clear errors: passed"
