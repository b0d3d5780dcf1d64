# What the try.sh scripts say and check; source it after setting folder, where outputs go. It is made anew.
rm -rf "$folder"
mkdir -p "$folder"

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

small_cache() { # <cache>: one like it, in the test's folder, with a text encoder that is loaded and saved in no time
  local weights=$1/weights
  mkdir -p "$folder/cache"
  ln -sfn "$1/data" "$folder/cache/data"
  if [[ -z ${RC3_TEST_PYTHON:-} ]]; then # the encoder itself, then
    ln -sfn "$weights" "$folder/cache/weights"
  else
    "$RC3_TEST_PYTHON" -B "$(dirname "${BASH_SOURCE[0]}")/small_e5.py" "$weights" "$folder/cache/weights"
  fi
  echo "$folder/cache"
}
