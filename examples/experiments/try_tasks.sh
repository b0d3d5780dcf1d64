#!/usr/bin/env bash
# try_tasks.sh PROGRAM CACHE FOLDER: five tasks on a few emoji scenes, three of them from files in IGLUE's exact formats, mistakes.
set -euo pipefail
program=$1 cache=$2 folder=$3
rm -rf "$folder"
mkdir -p "$folder/images/39-Panci"
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
  cp "${glyphs[i]}" "$folder/images/10$i.png"
  cp "${glyphs[i]}" "$folder/images/39-Panci/39-$i.png"
  for side in 0 1; do cp "${glyphs[(i + side) % 12]}" "$folder/images/dev-$i-0-img$side.png"; done
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
echo '["no", "yes"]' >"$folder/two.json"

all=("$program" --variant.weights "$cache/weights" --tune.steps 3 --tune.translation_steps 3 --tune.batch 6)
"${all[@]}" --task.emoji "$cache/data/emoji" --task.languages de,sw --task.written de --task.scenes 8 --task.test_scenes 6 --task.test_captions 6 \
  --tune.seeds 2 --tune.shots 2 --out "$folder/emoji"
for task in entailment questions reasoning 'text to image' 'image to text' translation; do
  for look in both regions patches shuffled blank; do
    grep -q "^$task,[^,]*,$look,de," "$folder/emoji/results.csv" || fail "no figure of $task with $look"
  done
done
grep -q '^entailment,accuracy,both + 2 shots,sw,' "$folder/emoji/results.csv" || fail "no few-shot figure"
grep -q 'where each value comes from' "$folder/emoji/report.html" || fail "a report without the sources of its configuration"
[[ -s $folder/emoji/report.html && -s $folder/emoji/translation-de-1.txt ]] || fail "no report or translations"

run=("${all[@]}" --task.images "$folder/images" --task.extension .png --task.boxes 2 --tune.controls false)
"${run[@]}" --task.names entailment --task.train "$folder/xvnli-en.jsonl" --task.validation "$folder/xvnli-en.jsonl" \
  --task.test "en=$folder/xvnli-en.jsonl,fr=$folder/xvnli-fr.jsonl" --out "$folder/entailment"
"${run[@]}" --task.names questions --task.train "$folder/xgqa-en.json" --task.validation "$folder/xgqa-en.json" \
  --task.test "fr=$folder/xgqa-fr.json" --task.answers "$folder/answers.json" --out "$folder/questions"
"${run[@]}" --task.names reasoning --task.train "$folder/nlvr2-en.jsonl" --task.validation "$folder/nlvr2-en.jsonl" \
  --task.test "fr=$folder/marvl-fr.jsonl" --out "$folder/reasoning"
for i in {0..11}; do printf 'Text %s fr\tText %s en\n' "$i" "$i"; done >"$folder/translations.tsv"
"${run[@]}" --task.names entailment --task.train "$folder/xvnli-en.jsonl" --task.validation "$folder/xvnli-en.jsonl" \
  --task.test "fr=$folder/xvnli-fr.jsonl" --task.translations "$folder/translations.tsv" --out "$folder/translated"

grep -q '^entailment,accuracy,both,fr,.*,12,33.3' "$folder/entailment/results.csv" || fail "no figure of French entailment"
# Translated into English, French is English: the same answers.
diff <(cut -d, -f5 <(grep ',en,' "$folder/entailment/results.csv")) <(cut -d, -f5 <(grep ',fr,' "$folder/translated/results.csv")) ||
  fail "translate-test"
grep -q '"language": "fr"' "$folder/questions/results.json" || fail "no figure of French questions"
[[ $(grep -c '"questionId":"2021' "$folder/questions/questions-fr-1.json") == 12 ]] || fail "predictions of questions"
[[ $(grep -c '"sentence":"Text' "$folder/reasoning/reasoning-fr-1.json") == 12 ]] || fail "judgements"

entail=("${run[@]}" --task.names entailment --task.train "$folder/xvnli-en.jsonl" --out "$folder/none")
says 'cannot be made' "${run[@]}" --task.names entailment --task.train "$folder/xvnli-en.jsonl" --out "$folder/answers.json"
WORLD_SIZE=2 says 'this program runs on one rank' "${run[@]}" --task.names entailment
says 'there is no task drawing' "${run[@]}" --task.names drawing
says 'give the folder of the emoji data' "${run[@]}" --task.names retrieval
says 'name one task' "${run[@]}" --task.train "$folder/xvnli-en.jsonl"
says 'task.validation and task.test are needed' "${entail[@]}"
says 'give LANGUAGE=FILE' "${entail[@]}" --task.validation "$folder/xvnli-en.jsonl" --task.test x
says 'is none of the 2 classes (no, yes)' "${run[@]}" --task.names questions --task.train "$folder/xgqa-en.json" \
  --task.validation "$folder/xgqa-en.json" --task.test "fr=$folder/xgqa-fr.json" --task.answers "$folder/two.json" --out "$folder/none"
says 'none.safetensors' "${entail[@]}" --task.validation "$folder/xvnli-en.jsonl" --task.test "fr=$folder/xvnli-fr.jsonl" \
  --init "$folder/none.safetensors"
echo "five tasks on emoji scenes, three from IGLUE's files, with clear errors: passed"
