#!/usr/bin/env bash
# try_tasks.sh PROGRAM CACHE FOLDER: five tasks on a few emoji scenes, all of them from files in the published formats, mistakes.
set -euo pipefail
program=$1 cache=$2 folder=$3
source "$(dirname "${BASH_SOURCE[0]}")/../support/says.sh"
mkdir -p "$folder/images/39-Panci"
cache=$(small_cache "$cache")
weights=$cache/weights

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

all=("$program" --variant.weights "$weights" --tune.steps 3 --tune.translation_steps 3 --tune.batch 6)
"${all[@]}" --task.provider emoji --task.provided "$cache/data/emoji" --task.languages de,sw --task.written de --task.scenes 8 --task.test_scenes 6 --task.test_captions 6 \
  --tune.shots 2 --out "$folder/emoji"
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
  --task.test "fr=$folder/marvl-fr.jsonl" --tune.seeds 2 --out "$folder/reasoning"
for i in {0..11}; do printf 'Text %s fr\tText %s en\n' "$i" "$i"; done >"$folder/translations.tsv"
"${run[@]}" --task.names entailment --task.train "$folder/xvnli-en.jsonl" --task.validation "$folder/xvnli-en.jsonl" \
  --task.test "fr=$folder/xvnli-fr.jsonl" --task.translations "$folder/translations.tsv" --out "$folder/translated"

# A variant that reads regions, and images that have none.
"${all[@]}" --task.names entailment --task.images "$folder/images" --task.extension .png --task.train "$folder/xvnli-en.jsonl" \
  --task.validation "$folder/xvnli-en.jsonl" --task.test "fr=$folder/xvnli-fr.jsonl" --out "$folder/plain"
for look in both shuffled blank; do grep -q "^entailment,accuracy,$look,fr," "$folder/plain/results.csv" || fail "no figure without boxes, $look"; done
if grep -q ',regions,' "$folder/plain/results.csv"; then fail "images without regions are evaluated by regions alone"; fi

grep -q '^entailment,accuracy,both,fr,.*,12,33.3' "$folder/entailment/results.csv" || fail "no figure of French entailment"
# Translated into English, French is English: the same answers.
diff <(cut -d, -f5 <(grep ',en,' "$folder/entailment/results.csv")) <(cut -d, -f5 <(grep ',fr,' "$folder/translated/results.csv")) ||
  fail "translate-test"
grep -q '"language": "fr"' "$folder/questions/results.json" || fail "no figure of French questions"
[[ $(grep -c '"questionId":"2021' "$folder/questions/questions-fr-1.json") == 12 ]] || fail "predictions of questions"
[[ $(grep -c '"sentence":"Text' "$folder/reasoning/reasoning-fr-1.json") == 12 ]] || fail "judgements"

# Retrieval and translation from files of captions: xFlickr&CO, WIT as IGLUE has it, Multi30K, manifests.
mkdir -p "$folder/multi30k"
for set in train val test_2016_flickr; do
  for i in {0..11}; do echo "10$i.png"; done >"$folder/multi30k/${set}_images.txt"
  for language in en de fr; do for i in {0..11}; do echo "Text $i in $language"; done >"$folder/multi30k/$set.$language"; done
done
: >"$folder/wit.tsv"
: >"$folder/strict.jsonl"
for language in en de ja; do
  : >"$folder/xflickrco-$language.jsonl"
  : >"$folder/wit-$language.jsonl"
done
for i in {0..11}; do
  printf 'https://upload.example.org/%s.png\t10%s.png\n' "$i" "$i" >>"$folder/wit.tsv"
  for language in en de ja; do
    echo "{\"sentences\": [\"Text $i $language\"], \"id\": \"10$i\", \"img_path\": \"10$i.png\"}" >>"$folder/xflickrco-$language.jsonl"
    echo "{\"image_url\": \"https://upload.example.org/$i.png\", \"caption_reference_description\": \"Text $i $language\", \"language\": \"$language\", \"page_url\": \"https://$language.example.org/$i\", \"wit_ix\": \"wit_$i\", \"image_idx\": $i}" >>"$folder/wit-$language.jsonl"
  done
  # Not every image has a text in every language.
  echo "{\"image\": \"10$i.png\", \"texts\": {\"en\": \"Text $i\"$([[ $i == 3 ]] || echo ", \"de\": \"Text $i auf Deutsch\"")}, \"alignment\": \"strict\"}" >>"$folder/strict.jsonl"
done
# A second caption of an image in one language, and one caption of two images.
echo '{"image_url": "https://upload.example.org/4.png", "caption_reference_description": "Text 5 de", "language": "de", "page_url": "https://de.example.org/x", "wit_ix": "wit_4", "image_idx": 4}' >>"$folder/wit-de.jsonl"

sed 's/"image": /"id": /' "$folder/strict.jsonl" >"$folder/imageless.jsonl"

retrieve=("${all[@]}" --task.names retrieval --task.images "$folder/images" --tune.rerank 3)
"${retrieve[@]}" --task.format xflickrco --task.train "$folder/xflickrco-en.jsonl" --task.validation "$folder/xflickrco-en.jsonl" \
  --task.test "de=$folder/xflickrco-de.jsonl,ja=$folder/xflickrco-ja.jsonl" --task.boxes 2 --out "$folder/xflickrco"
for look in both regions patches shuffled blank; do
  grep -q "^text to image,recall@1,$look,ja,.*,12,8.3" "$folder/xflickrco/results.csv" || fail "no recall on xFlickr&CO, $look"
done
grep -q '^image to text,recall@5,both,de,.*,12,41.6' "$folder/xflickrco/results.csv" || fail "no recall from images to texts"
[[ $(grep -c '"rank"' "$folder/xflickrco/retrieval-ja-1.json") == 12 ]] || fail "what captions find"
retrieve+=(--tune.controls false)
"${retrieve[@]}" --task.format iglue-wit --task.train "$folder/wit-en.jsonl" --task.validation "$folder/wit-en.jsonl" \
  --task.test "de=$folder/wit-de.jsonl" --task.image_list "$folder/wit.tsv" --out "$folder/wit"
# 12 different captions, of which one is right for two images: 11 of 12 guesses at 1/12, one at 2/12.
grep -q '^text to image,recall@1,both,de,.*,12,9.02' "$folder/wit/results.csv" || fail "no recall on WIT"
multi=(--task.image_list "$folder/multi30k/train_images.txt,$folder/multi30k/val_images.txt,$folder/multi30k/test_2016_flickr_images.txt,$folder/multi30k/test_2016_flickr_images.txt"
  --task.train "$folder/multi30k" --task.validation "$folder/multi30k" --task.test "de=$folder/multi30k,fr=$folder/multi30k" --task.format multi30k-1)
"${retrieve[@]}" "${multi[@]}" --out "$folder/retrieved"
grep -q '^image to text,recall@1,both,fr,.*,12,8.3' "$folder/retrieved/results.csv" || fail "no recall on Multi30K"
manifest=(--task.train "$folder/strict.jsonl" --task.validation "$folder/strict.jsonl" --task.test "de=$folder/strict.jsonl")
"${retrieve[@]}" "${manifest[@]}" --out "$folder/manifest"
grep -q '^text to image,recall@1,both,de,.*,11,9.09' "$folder/manifest/results.csv" || fail "no recall on a manifest"

translate=("${all[@]}" --task.names translation --task.images "$folder/images")
"${translate[@]}" "${multi[@]}" --out "$folder/multi30k-out"
for language in de fr; do
  for metric in BLEU chrF; do
    grep -q "^translation,$metric,both,$language," "$folder/multi30k-out/results.csv" || fail "no $metric in $language"
  done
  [[ $(wc -l <"$folder/multi30k-out/translation-$language-1.txt") == 12 ]] || fail "translations into $language"
done
grep -q '^translation,chrF,blank,fr,' "$folder/multi30k-out/results.csv" || fail "no control of translation"
"${translate[@]}" "${manifest[@]}" --tune.controls false --out "$folder/manifest-out"
[[ $(wc -l <"$folder/manifest-out/translation-de-1.txt") == 11 ]] || fail "an image without a translation is translated"

entail=("${run[@]}" --task.names entailment --task.train "$folder/xvnli-en.jsonl" --out "$folder/none")
says 'cannot make the folder' "${run[@]}" --task.names entailment \
  --task.train "$folder/xvnli-en.jsonl" --out "$folder/answers.json"
RANK=0 WORLD_SIZE=2 says 'this program runs on one rank' "${run[@]}" --task.names entailment
says 'there is no task drawing' "${run[@]}" --task.names drawing
for task in entailment retrieval translation; do
  says "give the files of $task" "${all[@]}" --task.names "$task" --out "$folder/none"
  says 'task.validation: is needed' "${all[@]}" --task.names "$task" --task.train "$folder/xvnli-en.jsonl" --out "$folder/none"
done
says 'this program has: emoji' "${all[@]}" --task.provider emojis --out "$folder/none"
says 'task.provided: give the folder of the emoji data' "${all[@]}" --task.provider emoji --out "$folder/none"
says 'task.images: has no effect beside task.provider' "${all[@]}" --task.provider emoji --task.images x --out "$folder/none"
says 'files are of one task' "${run[@]}" --task.train "$folder/xvnli-en.jsonl" --out "$folder/none"
says 'has no image, and retrieval needs them: give task.images' "${all[@]}" --task.names retrieval "${manifest[@]/strict/imageless}" --out "$folder/none"
says 'task.extension: has no effect on retrieval' "${retrieve[@]}" "${manifest[@]}" --task.extension .png --out "$folder/none"
says 'tune.shots: has no effect on retrieval' "${retrieve[@]}" "${manifest[@]}" --tune.shots 2 --out "$folder/none"
says 'there is no text in "sw"' "${translate[@]}" "${manifest[@]}" --task.written de,sw --out "$folder/none"
says 'give LANGUAGE=FILE' "${entail[@]}" --task.validation "$folder/xvnli-en.jsonl" --task.test x
says 'is none of the 2 classes (no, yes)' "${run[@]}" --task.names questions --task.train "$folder/xgqa-en.json" \
  --task.validation "$folder/xgqa-en.json" --task.test "fr=$folder/xgqa-fr.json" --task.answers "$folder/two.json" --out "$folder/none"
says 'none.safetensors' "${entail[@]}" --task.validation "$folder/xvnli-en.jsonl" --task.test "fr=$folder/xvnli-fr.jsonl" \
  --init "$folder/none.safetensors"
echo "five tasks on emoji scenes, and from files in the published formats, with clear errors: passed"
