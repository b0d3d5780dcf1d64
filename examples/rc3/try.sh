#!/bin/sh
# What ctest runs: rc3 check on every format, pack and relevance on emoji scenes, and what the tool says of itself.  try.sh <rc3> <cache> <tests/data/files>
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
mkfifo "$out/pipe.jpg"  # as an image of a record: no wait for a writer
echo '{"image": "pipe.jpg", "texts": {"en": "a"}}' > "$out/pipe.jsonl"
code=0 && run check "$out/pipe.jsonl" 2> "$out/words" || code=$?
[ "$code" = 2 ] || [ "$code" = 1 ]
grep -q 'pipe.jpg: not a file' "$out/words"
code=0 && run pack "$files/cases/img2dataset.tar" --out /dev/null 2> "$out/words" || code=$?  # a message, no abort
[ "$code" = 1 ]
grep -q 'cannot make the folder' "$out/words"
if "$rc3" check "$files/cases/img2dataset.tar" > /dev/full; then exit 1; fi  # results that are lost are an error
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

# Regions of one image, as VOLTA's TSV and as safetensors: a box of 4 x 3 pixels with two features.
boxes() { printf '\0\0\0\0\0\0\0\0\0\0\200@\0\0@@'; }
eight=AAAAAAAAAAA= four=AAAAAA==
printf '7\t3\t4\t%s\t%s\t%s\t%s\t1\t%s\t%s\n' $eight $four $eight $four "$(boxes | base64)" $eight > "$out/regions.tsv"
run check "$out/regions.tsv" --format volta | tee "$out/checked"
grep -q '^regions *in 1 samples: from 1 to 1, median 1$' "$out/checked"
grep -q '^features *of 1 samples: numbers a region from 2 to 2, median 2$' "$out/checked"
printf '8\t3\t4\t%s\n' $eight >> "$out/regions.tsv"
code=0
run check "$out/regions.tsv" --format volta > "$out/checked" || code=$?
[ "$code" = 2 ]
grep -qF 'regions.tsv:2: 4 fields, 10 are expected' "$out/checked"
mkdir "$out/regions"
tensor() { printf '"%s":{"dtype":"F32","shape":[%s],"data_offsets":[%s]}' "$@"; }
json="{$(tensor boxes 1,4 0,16),$(tensor size 2 16,24),$(tensor features 1,1 24,28)}"
{
  printf "\\$(printf %03o "${#json}")\0\0\0\0\0\0\0%s" "$json"
  boxes
  printf '\0\0\200@\0\0@@\0\0\0\0'
} > "$out/regions/7.safetensors"
run check "$files/../../io/files" | tee "$out/checked"
grep -q '^images *[1-9]' "$out/checked"
if run check "$out/none" 2> "$out/checked"; then exit 1; fi
grep -qF 'none: there is no such file or folder' "$out/checked"
for format in auto regions; do
  run check "$out/regions" --format $format | tee "$out/checked"
  grep -q '^samples *1 of 1' "$out/checked"
done
head -c 200 "$out/regions/7.safetensors" > "$out/regions/8.safetensors"
code=0
run check "$out/regions" --format regions > "$out/checked" || code=$?
[ "$code" = 2 ]
grep -qF '8.safetensors: ' "$out/checked"

"$rc3" --version | tee "$out/said" | grep -q '^rc3 [0-9.]*, LibTorch [0-9]'
for shell in bash zsh fish; do
  "$rc3" completion $shell > "$out/script.$shell"
  ! command -v $shell > /dev/null || $shell -n "$out/script.$shell"
done
! command -v bash > /dev/null || [ "$(bash -c '. "$0"; COMP_WORDS=(rc3 check --format vol); COMP_CWORD=3; _rc3; echo "$COMPREPLY"' "$out/script.bash")" = volta ]
"$rc3" man > "$out/rc3.1"
for command in $("$rc3" --help | sed -n '/^Subcommands:/,$s/^  \([a-z]*\) .*/\1/p'); do grep -q "^\.SS rc3 $command\$" "$out/rc3.1"; done
if command -v man > /dev/null; then
  [ -z "$(LC_ALL=C.UTF-8 MANROFFSEQ= man --warnings -l "$out/rc3.1" 2>&1 > "$out/page")" ]
  grep -q 'EXIT STATUS' "$out/page"
fi
