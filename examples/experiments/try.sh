#!/usr/bin/env bash
# try.sh PROGRAM CACHE FOLDER: what an experiment does with a file, a command line, a resume, held-out data, two ranks and mistakes.
set -euo pipefail
program=$1 cache=$2 folder=$3
source "$(dirname "${BASH_SOURCE[0]}")/../support/says.sh"
cache=$(small_cache "$cache")
weights=$cache/weights

cat >"$folder/config.json" <<JSON
{"data": {"paths": ["$cache/data/emoji"], "format": "emoji", "size": 24, "split": "fit"},
 "validation": {"paths": ["$cache/data/emoji"], "format": "emoji", "size": 30, "languages": ["en", "de", "ja"], "max_images": 12},
 "loader": {"batch": 8}, "variant": {"weights": "$weights", "grid": 4},
 "train": {"optimizer": {"learning_rate": 3e-4, "layer_decay": {"text.": 0.9}}, "schedule": {"warmup": 1, "total": 9}},
 "checkpoint": {"folder": "$folder/run"}}
JSON
run=("$program" --config "$folder/config.json")

"${run[@]}" --train.schedule.total 2 | tee "$folder/first"
comes_from() { # <option> <value> <source>: the output says so
  grep -qE "^$1 +$2 +$3\$" "$folder/first" || fail "not said: $1 is $2, from $3"
}
comes_from train.schedule.total 2 'command line'
comes_from train.schedule.warmup 1 "$folder/config.json"
grep -q '"train.ema": "default"' "$folder/run/step-2/provenance.json" || fail "the origin of a default is not in the checkpoint"
grep -qE '^[0-9]+ options have their defaults' "$folder/first" || fail "the defaults are not counted"
for file in config.json model.safetensors README.md sentencepiece.bpe.model; do
  [[ -s $folder/run/last/$file ]] || fail "no $file in the model directory of the run"
done
for language in en de ja mean; do
  grep -qE "^$language +[0-9.]+( +[0-9.]+){5}\$" "$folder/first" || fail "no recall in $language"
done
"${run[@]}" --train.schedule.total 3 | tee "$folder/second"
grep -q 'resumed at step 2' "$folder/second" || fail "it does not go on"
grep -q '"batch": 8' "$folder/run/step-3/configuration.json" || fail "the configuration is not in the checkpoint"
grep -q '"train.schedule.total": "command line"' "$folder/run/step-3/provenance.json" || fail "the sources are not in the checkpoint"
grep -q '<th scope="row">ja</th>' "$folder/run/report.html" || fail "no table by language in the report"
grep -q '"name": "ja"' "$folder/run/report.json" || fail "no table by language in the report's JSON"
says 'loader.window was' "${run[@]}" --train.schedule.total 4 --loader.window 3
[[ -s $folder/run/report.html && $(wc -l <"$folder/run/log.jsonl") -ge 1 ]] || fail "no report or log"

# The best model of a run, also across a resume, is that of the highest recall that any checkpoint has.
best=("${run[@]}" --checkpoint.folder "$folder/evaluated" --validation.every 1)
for total in 2 3; do
  "${best[@]}" --train.schedule.total "$total" | tee "$folder/evaluated.log"
  highest=$(sed -n 's/.*"metric": *\([0-9.e-]*\).*/\1/p' "$folder"/evaluated/step-*/manifest.json | sort -g | tail -n 1)
  written=$(sed -n 's/^| mean | *\([0-9.]*\) .*/\1/p' "$folder/evaluated/best/README.md")
  awk -v a="$highest" -v b="$written" 'BEGIN { exit !(b != "" && (100 * a - b) ^ 2 < 0.01) }' ||
    fail "the best recall is $highest, the model in best/ has $written"
done
# Held-out data that cannot be read do not end a run.
echo '{"id": "1", "image": "none.jpg", "texts": {"en": "A dog."}}' >"$folder/damaged.jsonl"
sed 's|"validation": {[^}]*}|"validation": {"paths": ["'"$folder"'/damaged.jsonl"], "every": 1}|' "$folder/config.json" >"$folder/damaged.json"
"$program" --config "$folder/damaged.json" --train.schedule.total 2 --checkpoint.folder "$folder/damaged" | tee "$folder/damaged.log"
[[ $(grep -c '^validation: .*can be used' "$folder/damaged.log") == 3 && -s $folder/damaged/step-2/manifest.json && ! -e $folder/damaged/best ]] ||
  fail "held-out data that cannot be read ended the run"
says 'there is no held-out data to evaluate on' "$program" --data.paths "$cache/data/emoji" --validation.every 1

echo '{"train": {"ema2": 1}}' >"$folder/wrong.json"
says 'there is no option "train.ema2"; did you mean "train.ema"?' "$program" --config "$folder/wrong.json"
says '"train.ema" must be in [0, 1), is 2' "${run[@]}" --train.ema 2
says 'no data set is given' "$program"
says 'none' "${run[@]}" --data.paths "$folder/none"
says 'there is no split vall' "${run[@]}" --validation.split vall
one_speaks() { # <log>: the ranks are one run, and one of them says what it is and what it finds
  [[ $(grep -c '^parameters' "$1") == 1 && $(grep -c '^Retrieval by language' "$1") == 1 ]] || fail "$1: not one rank alone speaks"
}
ranks=("${run[@]}" --train.schedule.total 2 --threads 1)
if [[ -n ${RC3_TEST_PYTHON:-} ]]; then
  "$RC3_TEST_PYTHON" -m torch.distributed.run --standalone --no-python --nproc-per-node=2 "${ranks[@]}" \
    --checkpoint.folder "$folder/torchrun" 2>&1 | tee "$folder/torchrun.log"
  [[ -s $folder/torchrun/step-2/manifest.json ]] || fail "two ranks by torchrun"
  one_speaks "$folder/torchrun.log"
fi
if command -v mpirun >/dev/null; then
  mpirun --allow-run-as-root --oversubscribe -np 2 "${ranks[@]}" \
    --checkpoint.folder "$folder/mpirun" 2>&1 | tee "$folder/mpirun.log"
  [[ -s $folder/mpirun/step-2/manifest.json ]] || fail "two ranks by mpirun"
  one_speaks "$folder/mpirun.log"
  if [[ -d $folder/torchrun ]]; then
    for file in model optimizer; do
      cmp "$folder"/{torchrun,mpirun}/step-2/$file.safetensors || fail "mpirun and torchrun differ"
    done
  fi
else
  echo "skipped: mpirun (Debian: openmpi-bin)"
fi
echo "an experiment from a file, resumed, on two ranks, with clear errors: passed"
