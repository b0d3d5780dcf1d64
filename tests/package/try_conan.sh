#!/bin/sh
# What ctest runs: the Conan recipe and its test, with a Conan home of its own.  try_conan.sh <conan> <source tree> <folder>
set -eu
conan=$1 source=$2 work=$3
rm -rf "$work"
export CONAN_HOME="$work/home"
"$conan" profile detect
"$conan" create "$source/packaging/conan" --no-remote -s compiler.cppstd=20 \
  -c tools.cmake.cmake_layout:test_folder="$work/test"
