#!/bin/sh
# What ctest runs: the Conan recipe and its test, with a Conan home of its own.
#   try_conan.sh <conan> <source tree> <folder> [<g++ or clang++-N>]
set -eu
conan=$1 source=$2 work=$3 compiler=${4:-g++}
export CXX="$compiler"
case $compiler in
  *clang++*) CC=clang${compiler##*clang++} ;;
  *) CC=gcc${compiler##*g++} ;;
esac
export CC
rm -rf "$work"
export CONAN_HOME="$work/home"
"$conan" profile detect
"$conan" create "$source/packaging/conan" --no-remote -s compiler.cppstd=20 -s compiler.libcxx=libstdc++11 \
  -c tools.build:compiler_executables="{\"c\": \"$CC\", \"cpp\": \"$CXX\"}" \
  -c tools.cmake.cmake_layout:test_folder="$work/test"
