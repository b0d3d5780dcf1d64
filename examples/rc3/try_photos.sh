#!/bin/sh
# What ctest runs: index, search, embed and serve with a small random model.  try_photos.sh <rc3> <try_model> <search_photos>
set -eu
rc3=$1 try_model=$2 search_photos=$3
out=$(mktemp -d)
server=
trap 'rm -rf "$out"; [ -z "$server" ] || kill "$server"' EXIT
"$try_model" "$out"
cd "$out"
echo "notes" > photos/notes.txt
head -c 100 photos/3.png > photos/cut.png
fails() {  # the exit code, and a part of the message
  expected=$1 part=$2
  shift 2
  code=0
  "$@" > "$out/stdout" 2> "$out/message" || code=$?
  if [ "$code" != "$expected" ] || ! grep -qF -- "$part" "$out/message"; then
    echo "$*: exit code $code, expected $expected and \"$part\":"
    cat "$out/message"
    exit 1
  fi
}
"$search_photos" model photos "two boxes" | tee found
[ "$(wc -l < found)" = 5 ]

"$rc3" index photos --model model --out photos.index --threads 1 > skipped 2> progress
cat skipped progress
grep -qF '"reason":"text; only these are read: ' skipped
grep -qF 'cut.png","reason":"' skipped
grep -qF '12 added, 0 changed, 0 unchanged, 0 removed, 2 skipped' progress
"$rc3" search photos.index "two boxes" --top 3 | tee hits
[ "$(wc -l < hits)" = 3 ]
grep -q "^{\"score\":[-0-9.e]*,\"path\":\"$out/photos/[0-9]*.png\"}$" hits
"$rc3" search photos.index "two boxes" --top 3 --rerank 5 | tee reranked
[ "$(grep -c '"match":0' reranked)" = 3 ]
cp photos/5.png copy.png
"$rc3" search photos.index --image copy.png --top 1 | grep -q '^{"score":[-0-9.e]*,"path":".*/photos/[0-9]*.png"}$'

mv photos/0.png photos/zero.png
"$rc3" index photos --out photos.index 2> progress > skipped
grep -qF '1 added, 0 changed, 11 unchanged, 1 removed, 2 skipped' progress

printf 'a dog\n\nein Hund\n' > texts
code=0
"$rc3" embed --model model < texts > vectors 2> message || code=$?
[ "$code" = 2 ] && [ "$(wc -l < vectors)" = 2 ]
grep -qF 'rc3: line 2: rc3::Embedder: the text is empty or blank' message
"$rc3" embed --model model photos/1.png photos/2.png 2> /dev/null | grep -c '^{"path":"photos/[12].png","vector":\[' | grep -qx 2
fails 2 'cut.png' "$rc3" embed --model model photos/cut.png photos/1.png
[ "$(wc -l < stdout)" = 1 ]

if "$rc3" serve none.index 2>&1 | grep -qF 'without cpp-httplib'; then
  echo "skipped: rc3 serve, which this program was built without"
else
  printf 'a red box\n\ntwo boxes\na dog\na red box\n' > captions
  fails 1 'none.txt' "$rc3" serve photos.index --port 0 --threads 1 --captions none.txt
  "$rc3" serve photos.index --port 0 --threads 1 --captions captions 2> served &
  server=$!
  tries=0
  until grep -q 'photographs at http' served; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then cat served; exit 1; fi
    sleep 0.1
  done
  cat served
  grep -q '^12 photographs at http://127.0.0.1:[0-9]*/; Ctrl-C ends it$' served
  url=$(sed -n 's/.* at \(http[^;]*\).*/\1/p' served)
  port=$(echo "$url" | sed 's/.*:\([0-9]*\).*/\1/')
  if command -v curl > /dev/null; then  # the same photographs and scores as rc3 search
    curl -s "${url}api/search?q=two+boxes&top=3" > served_hits
    curl -s "${url}api/search?q=two+boxes&top=3&rerank=5" | grep -q '"match":0'
    curl -s --data-binary @photos/5.png "${url}api/search?top=1" | grep -q '"score":[01][.0-9]*,"name":"[0-9]*.png"'
    curl -s --data-binary @photos/cut.png "${url}api/search" | grep -qF '{"error":"the image: '
    curl -s --data-binary @photos/5.png "${url}api/search?top=1&captions=2" > captioned
    grep -q '"captions":\[{"score":[-0-9.e]*,"text":"[a-z ]*"},{"score":[-0-9.e]*,"text":"[a-z ]*"}\]}$' captioned
    curl -s "${url}healthz" | grep -qF '"captions":3,"rerank":true,"words":true}'
    id=$(sed 's/.*"results":\[{"id":"\([0-9a-f]*\)".*/\1/' served_hits)
    curl -s "${url}api/words?q=two+boxes&id=$id" > words
    grep -q '^{"columns":5,"rows":5,"words":\[{"text":"two","scores":\[.*\]},{"text":"boxes","scores":\[.*\]}\]}$' words
    [ "$(tr -cd , < words | wc -c)" = 53 ]  # 2 x 25 scores
    "$rc3" search photos.index "two boxes" --top 3 > hits
    for score in $(sed 's/{"score":\([^,]*\),.*/\1/' hits); do grep -qF "\"score\":$score," served_hits; done
  fi
  fails 1 "port $port of 127.0.0.1: the port is in use" "$rc3" serve photos.index --port "$port" --threads 1
  kill -TERM "$server"
  wait "$server"
  server=
fi

mkdir empty
fails 1 'holds no image' "$rc3" index empty --out photos.index
fails 1 'no such directory' "$rc3" index photos --model none --out other.index
fails 1 'cannot open' "$rc3" search none.index "a"
fails 1 'give a text or --image' "$rc3" search photos.index
fails 1 'empty or blank' "$rc3" search photos.index " "
head -c 500 photos.index > short.index
fails 1 'truncated' "$rc3" search short.index "a"
"$rc3" inspect model > said
grep -q '^model  *Model<' said && grep -q '^check sums  *2 files are whole$' said
"$rc3" check model | grep -q '^check sums  *2 files are whole$'
cp -r model damaged
printf x >> damaged/sentencepiece.bpe.model
fails 1 'sentencepiece.bpe.model: has ' "$rc3" check damaged
fails 1 'none: ' "$rc3" check none --format model
fails 1 'the format model reads one directory, 2 are given' "$rc3" check model model --format model
fails 2 '' "$rc3" check photos --format image-folder
grep -q '^images  *12: width from 96 to 96' stdout
grep -q 'cut.png' stdout
grep -q '^left aside  *1 files that are no image' stdout
fails 1 'sentencepiece.bpe.model: has ' "$rc3" inspect damaged
mv model moved
fails 1 'give its place with --model' "$rc3" search photos.index "a"
[ "$("$rc3" search photos.index "two boxes" --top 3 --model moved | wc -l)" = 3 ]
