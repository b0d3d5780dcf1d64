#!/usr/bin/env bash
# Stands for each program that the set-up calls: it notes the call in $FAKE/calls, makes what its namesake would make, and in
# the middle hangs, fails or fills the disk where a file $FAKE/hang, fail or fill has a part of the call.
name=${0##*/}
call="$name $*"
asked() { [[ -s $FAKE/$1 && $call == *"$(<"$FAKE/$1")"* ]]; }
middle() { # <file to fill>
  if asked hang; then
    echo "$call" >"$FAKE/reached"
    while [[ -e $FAKE/hang ]] && ((SECONDS < 60)); do sleep 0.05; done
  fi
  if asked fail; then
    echo "ERROR: no connection" >&2
    exit 1
  fi
  if asked fill && ! head -c 8000000 /dev/zero >"$1"; then exit 1; fi
}

case $call in
  dpkg-query*)
    [[ " ${FAKE_MISSING:-} " == *" ${*: -1} "* && ! -e $FAKE/installed ]] || echo -n installed
    exit
    ;;
  "sudo -n true")
    [[ -e $FAKE/sudo ]]
    exit
    ;;
  sudo*)
    shift
    exec "$@"
    ;;
  "python -c import ensurepip"*) exit 0 ;;
  "python -c import importlib"*) # whether pip is whole
    [[ -e ${0%/bin/*}/pip ]]
    exit
    ;;
  "python -c"*) exit 0 ;;
esac
echo "$call" >>"$FAKE/calls"

site=${0%/bin/*}/lib/python3/site-packages
case $call in
  "python -") # the packages that it looks for are the fake ones only: no site-packages of the real Python
    exec "$FAKE_PYTHON" -I -S -c 'import sys; sys.path.insert(0, sys.argv[1]); exec(sys.stdin.read())' "$site"
    ;;
  "python -m venv"*)
    venv=${*: -1}
    [[ $* != *--clear* ]] || rm -rf "$venv"
    mkdir -p "$venv/bin" "$venv/lib/python3/site-packages"
    ln -f "$FAKE/bin/fake.sh" "$venv/bin/python" 2>/dev/null || cp "$FAKE/bin/fake.sh" "$venv/bin/python"
    middle "$venv/big"
    touch "$venv/pip"
    ;;
  "python -m pip install"*)
    list=${*: -1}
    list=${list##*/}
    info=$site/${list//[.-]/_}-1.dist-info
    [[ ! -e $info ]] || exit 0 # as pip does: it is there
    mkdir -p "$info"
    printf 'Metadata-Version: 2.1\nName: %s\nVersion: 1\n' "${list//[.-]/_}" >"$info/METADATA"
    echo half >"$site/$list"
    printf '%s,,6\n%s/RECORD,,\n' "$list" "${info##*/}" >"$info/RECORD"
    middle "$site/big"
    echo whole >"$site/$list"
    ;;
  "python -m pip download"*)
    wheel=${*: -1}
    wheel=${wheel//-/_}
    while [[ $1 != --dest ]]; do shift; done
    file=$2/${wheel/==/-}-py3-none-any.whl
    echo -n half >"$file"
    middle "$file.tmp"
    echo "${file##*/}" >"$file"
    ;;
  python*--out*)
    if [[ $2 == --wheel ]] && [[ ! -f $3 || $(<"$3") != "${3##*/}" ]]; then
      echo "ERROR: half a wheel: $3" >&2
      exit 1
    fi
    while [[ $1 != --out ]]; do shift; done
    mkdir -p "$2.tmp"
    middle "$2.tmp/big"
    rm -rf "$2"
    mv "$2.tmp" "$2"
    echo "$call" >"$2/made"
    ;;
  "apt-get"*" install "*)
    middle "$FAKE/big"
    touch "$FAKE/installed"
    ;;
  *) middle "$FAKE/big" ;;
esac
