#!/bin/sh
# What ctest runs: rc3 check on every format, pack and relevance on emoji scenes.  try.sh <rc3> <cache> <tests/data/files>
set -eu
rc3=$1 cache=$2 files=$3
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
run() {
  echo "\$ rc3 $*"
  "$rc3" "$@"
}
run pack "$cache/data/emoji" --format emoji --size 60 --samples 25 --out "$out/shards"
run check "$out/shards" | tee "$out/checked"
grep -q '^samples *60 of 60' "$out/checked"
run relevance "$out/shards" --encoder "$cache/weights/multilingual-e5-small" --out "$out/judged" --examples 2
run check "$out/judged" | tee "$out/checked"
grep -q '^relevance *given in 53 samples' "$out/checked"
# A sample of which one text has only U+200B is left out whole; the others keep their own relevance.
run relevance "$files/cases/zero_width.jsonl" --encoder "$cache/weights/multilingual-e5-small" --low 0.7 --high 0.9 \
  --out "$out/judged.jsonl" | tee "$out/checked"
grep -q 'zero_width.jsonl:2: en: the text is empty' "$out/checked"
[ "$(wc -l < "$out/judged.jsonl")" = 3 ]
run check "$files/cases/img2dataset.tar" --languages en | tee "$out/checked"
grep -q '^samples *3 of 3' "$out/checked"
grep -q '3 .json that is no record' "$out/checked"
run check "$files/cases/input_outputs.tar" --image-members input.jpg --text-members outputs.txt
for refused in "check $files/cases/empty.tar" "check $files/wit/wit_v1.part.tsv --format wit --images $files" \
  "pack $files/cases/zero_width.jsonl --out $out/x.jsonl --samples 3"; do
  if run $refused; then exit 1; fi
done
run pack "$files/multi30k/task1" --format multi30k-1 --languages en,de,fr,cs --out "$out/text.jsonl"
run check "$out/text.jsonl"
run check "$files/multi30k/task1" --format multi30k-1 --languages en,de,fr,cs
run check "$files/multi30k/task2" --format multi30k-2 --languages en,de
run check "$files/iglue/xflickrco-de.jsonl" "$files/iglue/xflickrco-ja.jsonl" --format xflickrco --languages de,ja
run check "$files/iglue/wit-bg.jsonl" "$files/iglue/wit-en.jsonl" --format iglue-wit
run check "$files/wit/wit_v1.part.tsv" --format wit
