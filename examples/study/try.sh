#!/usr/bin/env bash
# try.sh STUDY CACHE FOLDER: the study on few emoji scenes; a second call repeats nothing; arms with other parts of the
# model; a damaged file of features is computed again; clear errors.
set -euo pipefail
study=$1 cache=$2 folder=$3
source "$(dirname "${BASH_SOURCE[0]}")/../support/says.sh"
RC3_CACHE=$(small_cache "$cache")
export RC3_CACHE
"$study" --quick --seeds 1 --out "$folder/out" | tee "$folder/first"
[[ $(wc -l <"$folder/out/results.jsonl") == 3 ]] || fail "not a line for each of three arms"
for part in '"retrieval"' '"rerank"' '"mechanism"' '"entailment"' '"hypothesis"' '"probe"' '"correlation"'; do
  grep -q "$part" "$folder/out/results.jsonl" || fail "no $part in the results"
done
"$study" --quick --seeds 1 --out "$folder/out" | tee "$folder/second"
[[ $(grep -c 'is there already' "$folder/second") == 3 ]] || fail "a finished run is repeated"
[[ $(wc -l <"$folder/out/results.jsonl") == 3 ]] || fail "a second call adds lines"

# Half of a file of features: it is said. Arms with other parts of the model begin with the same heads.
part=$(find "$folder/out/features" -name '*.safetensors' | sort | head -n 1)
[[ -n $part ]] || fail "no features on disk"
truncate -s "$(($(stat -c %s "$part") / 2))" "$part"
"$study" --quick --seeds 1 --out "$folder/out" --rerank 0 --arm 'regions and patches' --arm 'en+de, M3P-like' 2>&1 |
  tee "$folder/third"
grep -q 'computed again' "$folder/third" || fail "a damaged file of features is taken as it is"
[[ $(wc -l <"$folder/out/results.jsonl") == 5 ]] || fail "not a line for each of two more arms"
for part in '"seen":"both"' '"code_switched":true' '"languages":\["en","de"\]'; do
  grep -q "$part" "$folder/out/results.jsonl" || fail "no $part in the results"
done
[[ $(find "$folder/out" -name 'align-*.safetensors' | wc -l) == 2 ]] || fail "an arm has heads of its own"
[[ -z $(find "$folder/out" -name '*-start.safetensors') ]] || fail "the first weights of a stage are left behind"
[[ $(find "$folder/out/features" -name 'images-*' | wc -l) == 2 ]] || fail "not a folder for each size of map"

# Heads on more layers of the image network, with features of their own.
"$study" --quick --seeds 1 --out "$folder/out" --arm 'heads, strict+weak, inner stages' >"$folder/inner"
grep -q '"inner_stages":true' "$folder/out/results.jsonl" || fail "no run with inner stages"
[[ $(find "$folder/out/features" -name 'images-*' | wc -l) == 3 ]] || fail "inner stages have no features of their own"

# Translation, of one arm whose decoder is also tuned on the text alone.
"$study" --quick --seeds 1 --out "$folder/out" --translation-steps 3 --arm 'weak, itm alone' | tee "$folder/fourth"
[[ $(wc -l <"$folder/out/results.jsonl") == 7 ]] || fail "not a line for translation"
for part in '"translation_steps":3' '"translation":{"both":{' '"shuffled":{' '"text_alone":{"both":{' '"chrf":'; do
  tail -n 1 "$folder/out/results.jsonl" | grep -q "$part" || fail "no $part in the result of translation"
done

says 'give --data DIR' "$study"
says 'train.jsonl is missing' "$study" --data "$folder"
says 'trains the heads alone' "$study" --quick --translation-steps 3 --arm 'heads, strict' --out "$folder/out"
says 'give --arm, not --all' "$study" --quick --translation-steps 3 --all
says 'there is no arm "none"' "$study" --quick --arm none
echo 'no json' >"$folder/wrong.jsonl"
says 'wrong.jsonl:1' "$study" --quick --results "$folder/wrong.jsonl"
echo "the study, its second call, arms with other parts, damaged features, clear errors: passed"
