#!/bin/sh
# vcpkg builds the port, and a small project uses it.
#   try_vcpkg.sh <vcpkg's folder> <source tree> <folder> [<g++ or clang++-N>]
# The port's dependencies are empty packages here: Debian's are used, so that nothing is downloaded or compiled for them.
set -eu
vcpkg=$1 source=$2 work=$3 compiler=${4:-g++}
export CXX="$compiler" VCPKG_DISABLE_METRICS=1 VCPKG_FORCE_SYSTEM_BINARIES=1
case $compiler in
  *clang++*) CC=clang${compiler##*clang++} ;;
  *) CC=gcc${compiler##*g++} ;;
esac
export CC
rm -rf "$work"
for port in nlohmann-json sentencepiece stb eigen3 libjpeg-turbo libwebp; do
  mkdir -p "$work/debian/$port"
  printf '{"name": "%s", "version": "0", "description": "empty: of Debian"}\n' "$port" > "$work/debian/$port/vcpkg.json"
  echo 'set(VCPKG_POLICY_EMPTY_PACKAGE enabled)' > "$work/debian/$port/portfile.cmake"
done
triplet=x64-linux-dynamic
"$vcpkg/vcpkg" install 'rc3[search,turbojpeg,webp]' --triplet=$triplet --host-triplet=$triplet --binarysource=clear \
  --overlay-ports="$source/packaging/vcpkg" --overlay-ports="$work/debian" --x-install-root="$work/installed" \
  --x-buildtrees-root="$work/buildtrees" --x-packages-root="$work/packages" --downloads-root="$work/downloads"
# The toolchain must find rc3 below the folder given here, and nowhere else.
cmake -S "$source/tests/package/project" -B "$work/build" -G Ninja -DKIND=light -DWEBP=1 -DVCPKG_TARGET_TRIPLET=$triplet \
  -DCMAKE_TOOLCHAIN_FILE="$vcpkg/scripts/buildsystems/vcpkg.cmake" -DVCPKG_INSTALLED_DIR="$work/installed"
grep -q "^rc3_DIR:PATH=$work/installed/" "$work/build/CMakeCache.txt"
cmake --build "$work/build"
"$work/build/program"
