# What the shell blocks of the documentation assume, made in the current folder: check_shell.py runs this once.
ln -s "$RC3_SOURCE"/{cmake,CMakeLists.txt,include,tests} .

# A small random model and twelve drawings.
"$RC3_TRY_MODEL" .
mv model .model
mkdir -p runs/first runs/mine out/demo
for place in runs/first/best runs/mine/last out/demo/model; do ln -s "$PWD/.model" $place; done
cp photos/5.png beach.jpg
printf 'a red box\ntwo boxes\na dog\n' > captions.txt
[ ! -d "$RC3_CACHE/weights" ] || ln -s "$RC3_CACHE/weights" weights

# A data set, as docs/guides/my-data.md describes it.
mkdir images
for i in 1 2 3 4 5 6; do
  cp photos/$i.png images/$i.jpg
  echo '{"id": "'$i'", "image": "images/'$i.jpg'", "texts": {"en": "Number '$i' runs.", "de": "Nummer '$i' rennt."}, "alignment": "strict"}'
done > train.jsonl
echo '{"id": "7", "image": "images/1.jpg", "texts": {"en": ["A cat.", "A cat asleep."], "fr": "Le salon."}, "alignment": "weak"}' >> train.jsonl

# Regions of one image, as VOLTA's TSV and as safetensors: a box of 4 x 3 pixels with two features.
boxes() { printf '\0\0\0\0\0\0\0\0\0\0\200@\0\0@@'; }
printf '7\t3\t4\t%s\t%s\t%s\t%s\t1\t%s\t%s\n' AAAAAAAAAAA= AAAAAA== AAAAAAAAAAA= AAAAAA== "$(boxes | base64)" AAAAAAAAAAA= > features.tsv
mkdir features
tensor() { printf '"%s":{"dtype":"F32","shape":[%s],"data_offsets":[%s]}' "$@"; }
json="{$(tensor boxes 1,4 0,16),$(tensor size 2 16,24),$(tensor features 1,1 24,28)}"
{
  printf "\\$(printf %03o "${#json}")\0\0\0\0\0\0\0%s" "$json"
  boxes
  printf '\0\0\200@\0\0@@\0\0\0\0'
} > features/7.safetensors
