# What the try.sh scripts say and check; source it after setting folder, where outputs go.

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
