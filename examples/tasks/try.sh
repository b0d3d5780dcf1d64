#!/usr/bin/env bash
# try.sh PROGRAM CACHE FOLDER: the three classification tasks from files in IGLUE's exact formats, and mistakes.
set -euo pipefail
program=$1 cache=$2 folder=$3
rm -rf "$folder"
mkdir -p "$folder/pictures/39-Panci"
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

mapfile -t glyphs < <(find "$cache/data/emoji/glyphs" -name '*.png' | sort | head -n 12)
for i in "${!glyphs[@]}"; do
  cp "${glyphs[i]}" "$folder/pictures/10$i.png"
  cp "${glyphs[i]}" "$folder/pictures/39-Panci/39-$i.png"
  for side in 0 1; do cp "${glyphs[(i + side) % 12]}" "$folder/pictures/dev-$i-0-img$side.png"; done
done
labels=(entailment neutral contradiction)
answers=(yes no red)
truths=(True False)
bools=(true false)
for language in en fr; do
  : >"$folder/xvnli-$language.jsonl"
  : >"$folder/marvl-$language.jsonl"
  : >"$folder/nlvr2-$language.jsonl"
  echo '{' >"$folder/xgqa-$language.json"
  for i in {0..11}; do
    echo "{\"gold_label\": \"${labels[i % 3]}\", \"sentence1\": \"A thing.\", \"sentence2\": \"Text $i $language\", \"captionID\": \"10$i.jpg#1\", \"pairID\": \"10$i.jpg#1r1n\", \"Flikr30kID\": \"10$i\"}" >>"$folder/xvnli-$language.jsonl"
    echo "{\"concept\": \"39-Panci\", \"language\": \"$language\", \"caption\": \"Text $i $language\", \"left_img\": \"39-Panci/39-$i.png\", \"right_img\": \"39-Panci/39-$(((i + 1) % 12)).png\", \"annotator_info\": {}, \"chapter\": \"x\", \"id\": \"$language-$i\", \"label\": ${bools[i % 2]}}" >>"$folder/marvl-$language.jsonl"
    echo "{\"sentence\": \"Text $i\", \"label\": \"${truths[i % 2]}\", \"identifier\": \"dev-$i-0-0\", \"synset\": \"x\"}" >>"$folder/nlvr2-$language.jsonl"
    [[ $i == 0 ]] || echo ',' >>"$folder/xgqa-$language.json"
    echo "\"2021$i\": {\"question\": \"Question $i $language?\", \"imageId\": \"10$i\", \"answer\": \"${answers[i % 3]}\", \"isBalanced\": true}" >>"$folder/xgqa-$language.json"
  done
  echo '}' >>"$folder/xgqa-$language.json"
done
echo '["no", "yes", "red", "blue"]' >"$folder/answers.json"

run=("$program" --cache "$cache" --pictures "$folder/pictures" --extension .png --steps 2 --batch 6 --no-controls)
"${run[@]}" --tasks entailment --train "$folder/xvnli-en.jsonl" --validation "$folder/xvnli-en.jsonl" \
  --test "en=$folder/xvnli-en.jsonl,fr=$folder/xvnli-fr.jsonl" --out "$folder/entailment"
"${run[@]}" --tasks questions --train "$folder/xgqa-en.json" --validation "$folder/xgqa-en.json" --test "fr=$folder/xgqa-fr.json" \
  --answers "$folder/answers.json" --out "$folder/questions"
"${run[@]}" --tasks reasoning --train "$folder/nlvr2-en.jsonl" --validation "$folder/nlvr2-en.jsonl" \
  --test "fr=$folder/marvl-fr.jsonl" --out "$folder/reasoning"

grep -q '^entailment,accuracy,both,fr,.*,12,33.3' "$folder/entailment/results.csv" || fail "no figure of French entailment"
grep -q '"language": "fr"' "$folder/questions/results.json" || fail "no figure of French questions"
[[ -s $folder/entailment/report.html ]] || fail "no report"
grep -c '"questionId":"2021' "$folder/questions/questions-fr-1.json" | grep -qx 12 || fail "predictions of questions"
grep -c '"sentence":"Text' "$folder/reasoning/reasoning-fr-1.json" | grep -qx 12 || fail "judgements"

says 'name one task' "${run[@]}" --train "$folder/xvnli-en.jsonl"
says '--validation and --test are needed' "${run[@]}" --tasks entailment --train "$folder/xvnli-en.jsonl" --out "$folder/none"
says 'give LANGUAGE=FILE' "${run[@]}" --tasks entailment --train "$folder/xvnli-en.jsonl" --validation "$folder/xvnli-en.jsonl" --test x --out "$folder/none"
says 'the answer "red" is none of the 2 classes (no, yes)' "${run[@]}" --tasks questions --train "$folder/xgqa-en.json" \
  --validation "$folder/xgqa-en.json" --test "fr=$folder/xgqa-fr.json" --answers <(echo '["no", "yes"]') --out "$folder/none"
says 'none.safetensors' "$program" --cache "$cache" --init "$folder/none.safetensors" --out "$folder/none"
echo "three tasks from IGLUE's files, with clear errors: passed"
