#!/bin/sh
# What ctest runs: the page in Chromium, without a screen.  try_page.sh <serve_colours> <chromium, or empty>
set -eu
server=$1 chromium=${2:-}
case $chromium in
  "" | *NOTFOUND)
    echo "skipped: the page is tested in Chromium, which is not installed (Debian: apt-get install chromium)"
    exit 77
    ;;
esac
out=$(mktemp -d)
mkfifo "$out/input"
trap 'exec 3>&-; rm -rf "$out" 2> /dev/null || { sleep 1; rm -rf "$out"; }' EXIT
"$server" "$out" < "$out/input" > "$out/address" 2> "$out/errors" &
exec 3> "$out/input" # the server ends with it
tries=0
while ! [ -s "$out/address" ]; do
  tries=$((tries + 1))
  [ "$tries" -le 300 ] || { echo "the server did not start:"; cat "$out/errors"; exit 1; }
  sleep 0.1
done
url=$(cat "$out/address")
page() {  # the page as it is after its scripts
  timeout 120 "$chromium" --headless=new --no-sandbox --disable-gpu --no-first-run --disable-extensions \
    --user-data-dir="$out/profile" --virtual-time-budget=5000 --dump-dom "$1" 2> "$out/browser" > "$out/dom"
}
has() {
  if ! grep -qF -- "$1" "$out/dom"; then
    echo "the page has no '$1':"
    cat "$out/dom" "$out/browser"
    exit 1
  fi
}
page "${url}?q=rot"
has '<title>rot – photographs</title>'
has 'aria-label="1: red/0.png, Cosine 1.000"'
has 'aria-label="Find photographs similar to red/7.png"'
has 'Best 24 of 64 photographs'
[ "$(grep -o '<li class="tile">' "$out/dom" | wc -l)" = 24 ]
page "${url}#q=bleu"
has 'aria-label="1: blue/0.png, Cosine 1.000"'
page "$url"
has '<body class="start">'
has '64 photographs'
page "${url}?q=%20&top=3"
has '<body class="start">'
