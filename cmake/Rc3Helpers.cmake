# What the tests, examples and benchmarks of this repository are made with. Not installed.

include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/Glob.cmake)

function(rc3_use_ccache)
  find_program(RC3_CCACHE ccache)
  mark_as_advanced(RC3_CCACHE)
  if(PROJECT_IS_TOP_LEVEL AND RC3_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # The sloppiness is what ccache's manual asks for where precompiled headers are used.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${RC3_CCACHE}
        PARENT_SCOPE)
  endif()
endfunction()

# Warnings for our own targets only; nothing of this reaches a user of the library.
function(rc3_set_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra)
endfunction()

# rc3_pch: what nearly every source includes of LibTorch, of JSON and of the standard library, compiled once. Targets take
# it over with rc3_use_pch(<target>). Not torch/torch.h: g++ instantiates what a precompiled header left pending again in
# each file, which with all of LibTorch is 8 s a file against 4 s with this list (measured; a file with one
# torch::nn::Linear: 10 s against 6 s, without 17 s). JSON and the standard library save 2.7 s more; rc3's own headers
# save nothing.
# A source that lacks one of these #includes still compiles with it: the test "headers.torch" does without it.
set(RC3_PCH_HEADERS
    torch/nn/module.h
    torch/nn/modules/batchnorm.h
    torch/nn/modules/container/modulelist.h
    torch/nn/modules/conv.h
    torch/nn/modules/embedding.h
    torch/nn/modules/linear.h
    torch/nn/modules/normalization.h
    nlohmann/json.hpp)
foreach(header algorithm charconv condition_variable deque filesystem fstream functional future iomanip iostream map mutex
               numeric optional queue random ranges regex set span sstream thread unordered_map)
  list(APPEND RC3_PCH_HEADERS ${header})
endforeach()

function(rc3_add_pch)
  file(WRITE ${CMAKE_BINARY_DIR}/generated/pch.cpp "")
  rc3_add_pch_target(rc3_pch)
  if(RC3_BUILD_TESTS OR RC3_BUILD_EXAMPLES)
    rc3_add_pch_target(rc3_test_pch)
    target_compile_options(rc3_test_pch PRIVATE ${RC3_TEST_OPTIMIZATION})
    add_library(rc3_optimized OBJECT ${PROJECT_SOURCE_DIR}/tests/support/optimized.cpp)
    target_link_libraries(rc3_optimized PRIVATE rc3::light)
    rc3_set_warnings(rc3_optimized)
  endif()
endfunction()

# Tests are not optimized as programs are: much of the compiler's time would go into code that runs once. With LibTorch they
# wait for its kernels, which are optimized (-O0 instead of -O1: 52 instead of 65 s for the tests of objectives, which take 7
# instead of 6 s). Most others run for less than a second (all of config: 9.5 instead of 13.7 s to compile). Those that compute
# for seconds are RC3_COMPUTING_TESTS.
set(RC3_TEST_OPTIMIZATION $<$<CONFIG:Release>:-O0>)
set(RC3_COMPUTING_TEST_OPTIMIZATION $<$<CONFIG:Release>:-O1>)
set(RC3_COMPUTING_TESTS data.light emoji.light io.light metric.light parity.light search.light serve.light text.light train.light)

function(rc3_add_pch_target name)
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/generated/pch.cpp)
  target_link_libraries(${name} PRIVATE rc3::rc3)
  rc3_set_warnings(${name})
  list(TRANSFORM RC3_PCH_HEADERS REPLACE "(.+)" "<\\1>" OUTPUT_VARIABLE headers)
  target_precompile_headers(${name} PRIVATE ${headers})
  # So that ccache sees which precompiled header a preprocessed source was read with.
  target_compile_options(${name} PRIVATE -fpch-preprocess)
endfunction()

# g++ searches its whole memory for garbage each time it has doubled, and begins with the precompiled header's 600 MB. When it has
# tripled, most files have been compiled (12 instead of 15 s for a test with LibTorch, with 5 % more memory).
set(RC3_PCH_OPTIONS -fpch-preprocess)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  list(APPEND RC3_PCH_OPTIONS --param=ggc-min-expand=200)
endif()

function(rc3_use_pch target)
  target_precompile_headers(${target} REUSE_FROM rc3_pch)
  target_compile_options(${target} PRIVATE ${RC3_PCH_OPTIONS})
endfunction()

# The same for a program that people train with: it waits for LibTorch's kernels, and the demo compiles in 87 instead of 119 s
# at -O1. g++ takes the precompiled header of -O2 for it.
function(rc3_use_training_pch target)
  rc3_use_pch(${target})
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# The same for a test, or an example that only ctest runs. Of two copies of an inline function the linker takes the first, so
# that image preparation, JSON and attention are optimized (an experiment of two steps: 20 s at -O0, 14 s with this, 12 s at -O1,
# which takes the compiler 40 s more).
function(rc3_use_test_pch target)
  target_precompile_headers(${target} REUSE_FROM rc3_test_pch)
  target_compile_options(${target} PRIVATE ${RC3_PCH_OPTIONS} ${RC3_TEST_OPTIMIZATION})
  target_link_options(${target} PRIVATE $<TARGET_OBJECTS:rc3_optimized>)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS $<TARGET_OBJECTS:rc3_optimized>)
endfunction()

# Where tests find the source tree and what ./run prepared. RC3_REQUIRE_CACHE=1: what is missing there is a failure. A macro of the
# top folder: the tests of tests/, examples/ and benchmarks/ run with it.
macro(rc3_set_test_environment)
  set(RC3_CACHE "$ENV{HOME}/.cache/rc3" CACHE PATH "Folder with the weights and data that ./run prepares")
  set(RC3_TEST_PYTHON "" CACHE FILEPATH "Python with requirements-test.txt; empty: no comparisons with Python")
  option(RC3_REQUIRE_CACHE "Tests fail, instead of skipping a part, where the cache folder lacks something" OFF)
  set(RC3_TEST_ENVIRONMENT "RC3_CACHE=${RC3_CACHE}" "RC3_SOURCE_DIR=${PROJECT_SOURCE_DIR}" "RC3_TEST_PYTHON=${RC3_TEST_PYTHON}"
                           "RC3_REQUIRE_CACHE=$<BOOL:${RC3_REQUIRE_CACHE}>" "ASAN_OPTIONS=detect_leaks=0"
                           "OMP_NUM_THREADS=1") # ctest -j runs as many tests at once as there are processors
endmacro()

# A Python 3 for scripts that need no package: that of the tests, or the first in PATH; empty if there is none.
function(rc3_find_python out)
  set(${out} ${RC3_TEST_PYTHON} PARENT_SCOPE)
  if(NOT RC3_TEST_PYTHON)
    find_program(RC3_PYTHON3 NAMES python3)
    mark_as_advanced(RC3_PYTHON3)
    set(${out} ${RC3_PYTHON3} PARENT_SCOPE)
  endif()
endfunction()

# rc3_add_test(<name> [LIGHT] SOURCES <file>...)
# One Boost.Test executable test_<name> and one ctest entry <name>, with the labels unit and light or torch. LIGHT: without LibTorch.
# The sources include <boost/test/unit_test.hpp>; main() is in tests/support/main.cpp, compiled once. Up to eight files are
# compiled as one, since each would parse the same headers again. A suite is a namespace, so that names of one file are not
# those of another.
function(rc3_add_test name)
  cmake_parse_arguments(arg "LIGHT" "" "SOURCES" ${ARGN})
  if(NOT arg_SOURCES) # a folder without tests of this kind
    return()
  endif()
  set(environment ${RC3_TEST_ENVIRONMENT})
  string(REPLACE "." "_" target test_${name})
  add_executable(${target} ${arg_SOURCES} $<TARGET_OBJECTS:rc3_test_main>)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  rc3_set_warnings(${target})
  add_dependencies(unit_tests ${target})
  if(arg_LIGHT)
    target_link_libraries(${target} PRIVATE rc3::light)
    # They instantiate the headers: there no number may change its value in silence.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Werror=conversion>)
    if(name IN_LIST RC3_COMPUTING_TESTS)
      target_compile_options(${target} PRIVATE ${RC3_COMPUTING_TEST_OPTIMIZATION})
    else()
      target_compile_options(${target} PRIVATE ${RC3_TEST_OPTIMIZATION})
    endif()
    set(label light)
  else()
    target_link_libraries(${target} PRIVATE rc3::rc3)
    rc3_use_test_pch(${target})
    set(label torch)
    # Tensors that no memory holds are tried: LibTorch's allocator is to say so, not AddressSanitizer's.
    list(APPEND environment ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1)
  endif()
  add_test(NAME ${name} COMMAND ${target} --log_level=warning --report_level=short --color_output=no)
  foreach(source ${arg_SOURCES}) # ./run harden runs the tests that print a line with a code of docs/reliability.md
    file(STRINGS ${source} codes LIMIT_COUNT 1 REGEX "\"T[0-9]+ ")
    if(codes)
      list(APPEND label harden)
      break()
    endif()
  endforeach()
  set_tests_properties(${name} PROPERTIES LABELS "unit;${label}" TIMEOUT 600 ENVIRONMENT "${environment}")
endfunction()

# rc3_add_example(<name> SOURCES <file>... [LIGHT | OPTIMIZED | TRAINING] [TEST_ARGS <argument>...])
# An executable <name> with CLI11 and what examples/support holds. With TEST_ARGS ctest runs it as example.<name> with these
# arguments. OPTIMIZED: a program that people use, compiled as CMAKE_BUILD_TYPE says. TRAINING: one that people train with,
# see rc3_use_training_pch. Others only ctest runs.
function(rc3_add_example name)
  cmake_parse_arguments(arg "LIGHT;OPTIMIZED;TRAINING" "" "SOURCES;TEST_ARGS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE CLI11::CLI11 rc3_example_support)
  rc3_set_warnings(${name})
  if(arg_LIGHT)
    target_link_libraries(${name} PRIVATE rc3::light)
  else()
    target_link_libraries(${name} PRIVATE rc3::rc3)
    if(arg_OPTIMIZED)
      rc3_use_pch(${name})
    elseif(arg_TRAINING)
      rc3_use_training_pch(${name})
    else()
      rc3_use_test_pch(${name})
    endif()
  endif()
  if((DEFINED arg_TEST_ARGS OR "TEST_ARGS" IN_LIST arg_KEYWORDS_MISSING_VALUES) AND RC3_BUILD_TESTS)
    add_test(NAME example.${name} COMMAND ${name} ${arg_TEST_ARGS})
    set_tests_properties(example.${name} PROPERTIES LABELS example TIMEOUT 900 ENVIRONMENT "${RC3_TEST_ENVIRONMENT}")
  endif()
endfunction()

# rc3_add_compile_fail_tests(<folder>)
# Every *.cpp in it must not compile, with exactly one error, which matches the file's first line: // expect: <regex>
# A second line "// light" says that it does without LibTorch: it is then given to clang++ as well.
function(rc3_add_compile_fail_tests folder)
  rc3_glob(files ${folder} *.cpp)
  find_program(RC3_CLANGXX NAMES clang++-14 clang++)
  mark_as_advanced(RC3_CLANGXX)
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    file(STRINGS ${file} head LIMIT_COUNT 2)
    set(includes ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/tests)
    set(compilers ${CMAKE_CXX_COMPILER})
    set(label torch)
    set(pch)
    if("// light" IN_LIST head)
      set(label light)
      if(RC3_CLANGXX)
        list(APPEND compilers ${RC3_CLANGXX})
      endif()
    else()
      list(APPEND includes ${RC3_TORCH_INCLUDE_DIRS})
      # rc3_pch's, with its flags; g++ reads the header itself where they do not fit.
      list(JOIN RC3_PCH_OPTIONS " " options)
      set(pch -DPCH=${CMAKE_BINARY_DIR}/CMakeFiles/rc3_pch.dir/cmake_pch.hxx
              "-DPCH_FLAGS=${options} ${CMAKE_CXX_FLAGS} $<$<CONFIG:Debug>:${CMAKE_CXX_FLAGS_DEBUG}>$<$<CONFIG:Release>:${CMAKE_CXX_FLAGS_RELEASE}>")
    endif()
    foreach(compiler ${compilers})
      get_filename_component(short ${compiler} NAME)
      set(name compile_fail.${stem}.${short})
      add_test(NAME ${name}
               COMMAND ${CMAKE_COMMAND} -DCOMPILER=${compiler} -DSOURCE=${file} "-DINCLUDES=${includes}" ${pch} -P
                       ${PROJECT_SOURCE_DIR}/cmake/CompileFail.cmake)
      set_tests_properties(${name} PROPERTIES LABELS "${label};compile_fail" TIMEOUT 300)
    endforeach()
  endforeach()
endfunction()

# Links the optional libraries that were found, with a definition RC3_TEST_<LIBRARY> for each.
function(rc3_link_optional_libraries target)
  foreach(library turbojpeg webp archive eigen hnswlib)
    if(TARGET rc3::${library})
      string(TOUPPER RC3_TEST_${library} definition)
      target_link_libraries(${target} PRIVATE rc3::${library})
      target_compile_definitions(${target} PRIVATE ${definition})
    endif()
  endforeach()
endfunction()

# Sorts the headers into those that reach LibTorch through their #include lines and those that do not. Relative paths.
# The headers of optional libraries that were not found are left out.
function(rc3_classify_headers out_light out_torch)
  rc3_glob(headers ${PROJECT_SOURCE_DIR}/include RECURSE RELATIVE rc3/*.hpp)
  foreach(library turbojpeg webp)
    if(NOT TARGET rc3::${library})
      list(REMOVE_ITEM headers rc3/io/image/${library}.hpp)
    endif()
  endforeach()
  if(NOT TARGET rc3::archive)
    list(FILTER headers EXCLUDE REGEX "^rc3/io/tar|^rc3/data/format/(webdataset|pack)\\.hpp$")
  endif()
  if(NOT TARGET rc3::eigen)
    list(REMOVE_ITEM headers rc3/search/concept.hpp rc3/search/hnsw.hpp rc3/search/hnsw_graph.hpp rc3/search/index.hpp
                rc3/search/screen.hpp rc3/search/screen_x86.hpp rc3/search/search.hpp rc3/search/top_k.hpp
                rc3/pipeline/image_index.hpp rc3/pipeline/rows.hpp)
  endif()
  if(NOT TARGET rc3::hnswlib)
    list(REMOVE_ITEM headers rc3/search/hnsw.hpp rc3/search/hnsw_graph.hpp)
  endif()
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    list(REMOVE_ITEM headers rc3/search/screen_x86.hpp)
  endif()
  if(NOT TARGET rc3::gloo)
    list(REMOVE_ITEM headers rc3/train/c10d.hpp)
  endif()
  find_package(CLI11 2.1 QUIET)
  if(NOT CLI11_FOUND)
    list(REMOVE_ITEM headers rc3/config/arguments.hpp rc3/experiment/program.hpp)
  endif()
  list(SORT headers)
  set(torch)
  foreach(header ${headers})
    file(STRINGS ${PROJECT_SOURCE_DIR}/include/${header} lines REGEX "^#include [<\"](rc3|torch|ATen|c10)/")
    set(includes_${header})
    foreach(line ${lines})
      if(line MATCHES "\"(rc3/[^\"]+)\"")
        list(APPEND includes_${header} ${CMAKE_MATCH_1})
      elseif(NOT header IN_LIST torch)
        list(APPEND torch ${header})
      endif()
    endforeach()
  endforeach()
  set(changed TRUE)
  while(changed)
    set(changed FALSE)
    foreach(header ${headers})
      if(NOT header IN_LIST torch)
        foreach(included ${includes_${header}})
          if(included IN_LIST torch)
            list(APPEND torch ${header})
            set(changed TRUE)
            break()
          endif()
        endforeach()
      endif()
    endforeach()
  endwhile()
  set(light ${headers})
  if(torch)
    list(REMOVE_ITEM light ${torch})
  endif()
  set(${out_light} ${light} PARENT_SCOPE)
  set(${out_torch} ${torch} PARENT_SCOPE)
endfunction()

# Folders of other libraries' headers that a compiler does not search by itself: without LibTorch, and with it.
function(rc3_system_folders out_light out_torch)
  set(light ${RC3_EIGEN_INCLUDE_DIR})
  set(torch ${RC3_TORCH_INCLUDE_DIRS} ${RC3_GLOO_INCLUDE_DIR} ${RC3_SENTENCEPIECE_INCLUDE_DIR} ${RC3_EIGEN_INCLUDE_DIR})
  foreach(kind light torch)
    foreach(folder ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
      list(REMOVE_ITEM ${kind} ${folder})
    endforeach()
    list(REMOVE_DUPLICATES ${kind})
  endforeach()
  set(${out_light} ${light} PARENT_SCOPE)
  set(${out_torch} ${torch} PARENT_SCOPE)
endfunction()
