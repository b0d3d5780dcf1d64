#!/usr/bin/env bash
# try.sh DEMO CACHE FOLDER: the demo whole on little input, killed and resumed in each stage, and its long form.
set -euo pipefail
demo=$1 cache=$2 folder=$3
source "$(dirname "${BASH_SOURCE[0]}")/../support/says.sh"
RC3_CACHE=$(small_cache "$cache")
export RC3_CACHE
small=(--data.split val --data.size 64 --fuse.data.split val --validation.max_images 12 --align.loader.batch 32 --fuse.data.size 24 --fuse.loader.batch 8
  --log.tensorboard false)

"$demo" "${small[@]}" --checkpoint.every 1000 --validation.rerank 3 --align.train.schedule.total 6 --fuse.train.schedule.total 2 \
  --checkpoint.folder "$folder/whole" | tee "$folder/said"
grep -q 'never read (12)' "$folder/said" || fail "no recall of languages that training never read"
grep -q '  untrained ' "$folder/said" || fail "no recall before training"
for file in sheet.png model/config.json model/model.safetensors model/README.md align/report.html fuse/report.html align/log.jsonl fuse/step-2/manifest.json; do
  [[ -s $folder/whole/$file ]] || fail "no $file"
done
grep -q '<th scope="row">sw</th>' "$folder/whole/fuse/report.html" || fail "no table by language in the report"
if [[ -e $(dirname "$demo")/rc3 ]]; then
  grep -q '/rc3 serve photos.index$' "$folder/said" || fail "the search page is not named"
fi

[[ $(readlink "$folder/whole/model") == last ]] || fail "the model's weights are on the disk twice"
grep -q '| sw |' "$folder/whole/last/README.md" || fail "no recall by language in the model card"

# The same in three calls: stopped in the first stage, between the stages, and in the second.
parts=("$demo" "${small[@]}" --checkpoint.every 3 --checkpoint.folder "$folder/parts")
"${parts[@]}" --validation.untrained false --align.train.schedule.total 6 --fuse.train.schedule.total 2 >"$folder/first" &
pid=$!
for _ in $(seq 600); do
  [[ ! -e $folder/parts/align/step-3/manifest.json ]] || break
  sleep 0.5
done
kill -9 "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
says 'validation.untrained was false, is now true' "${parts[@]}" --validation.untrained true
parts+=(--validation.untrained false)
"${parts[@]}" --align.train.schedule.total 6 --fuse.train.schedule.total 2 | tee "$folder/second"
grep -q 'resumed at step' "$folder/second" || fail "it does not go on"
if grep -q '  untrained ' "$folder/second"; then fail "the trained weights of a resumed run are called untrained"; fi
cmp "$folder"/{whole,parts}/fuse/step-2/model.safetensors || fail "a run that was killed has other weights"
"${parts[@]}" --align.train.schedule.total 6 --fuse.train.schedule.total 2 | tee "$folder/third"
if grep -q 'encode images' "$folder/third"; then fail "a finished run encodes its training images again"; fi
grep -q 'never read (12)' "$folder/third" || fail "a finished run is not evaluated"
cmp "$folder"/{whole,parts}/fuse/step-2/model.safetensors || fail "a third call changes what is finished"

"$demo" --long "${small[@]}" --validation.untrained false --align.train.schedule.total 2 --tune.train.schedule.total 2 --tune.loader.batch 8 --fuse.train.schedule.total 1 \
  --checkpoint.folder "$folder/long"
[[ -s $folder/long/tune/step-2/manifest.json ]] || fail "the long form has no stage tune"

# A run from the model directory; options that no tensor's shape shows are compared.
"$demo" "${small[@]}" --validation.untrained false --align.train.schedule.total 1 --fuse.train.schedule.total 0 --init "$folder/whole/model" \
  --checkpoint.folder "$folder/further"
mkdir "$folder/edited"
ln -s "$folder"/whole/last/* "$folder/edited/"
rm "$folder/edited/config.json"
sed 's/"heads": 6/"heads": 12/' "$folder/whole/last/config.json" >"$folder/edited/config.json"
says 'architecture/parts/2/parts/0/options/heads is 12, the program'"'"'s is 6' "$demo" "${small[@]}" --init "$folder/edited" --checkpoint.folder "$folder/wrong"

says 'no stage has a step' "$demo" --align.train.schedule.total 0 --fuse.train.schedule.total 0
says 'the variant has 4 objectives, got 2 weights' "$demo" "${small[@]}" --align.objectives 1,1 --checkpoint.folder "$folder/wrong"
says 'there is no split' "$demo" --data.split none
echo '{"align": {"train": {"emma": 1}}}' >"$folder/wrong.json"
says 'did you mean "align.train.ema"' "$demo" --config "$folder/wrong.json"
echo "the demo, resumed after a kill with equal weights, its long form, clear errors: passed"
