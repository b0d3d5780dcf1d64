# Finds what rc3 needs. Installed beside rc3Config.cmake, which calls the same functions.
#
# Tested with: LibTorch 2.13.0, nlohmann-json 3.11.2, sentencepiece 0.1.97, stb 2.27; libjpeg-turbo 2.1.5, libwebp 1.2.4,
# libarchive 3.6.2, Eigen 3.4.0, hnswlib 0.6.2, cpp-httplib 0.11.4 where they are found (Debian 12).

include_guard(GLOBAL)

# Stops with one message that says how to get what is missing.
function(rc3_missing what version package)
  message(FATAL_ERROR "rc3 needs ${what}, version ${version} or newer.\n"
                      "  Debian, Ubuntu: apt-get install ${package}\n"
                      "  elsewhere:      -DCMAKE_PREFIX_PATH=<where it is installed>")
endfunction()

# Thread library, nlohmann_json, sentencepiece (as rc3::sentencepiece).
# A macro: find_package makes targets in the caller's scope.
macro(rc3_find_light_dependencies)
  set(THREADS_PREFER_PTHREAD_FLAG ON)
  find_package(Threads REQUIRED)

  find_package(nlohmann_json 3.10.5 QUIET)
  if(NOT nlohmann_json_FOUND)
    rc3_missing("nlohmann_json" 3.10.5 nlohmann-json3-dev)
  endif()

  find_path(RC3_SENTENCEPIECE_INCLUDE_DIR sentencepiece_processor.h)
  find_library(RC3_SENTENCEPIECE_LIBRARY sentencepiece)
  mark_as_advanced(RC3_SENTENCEPIECE_INCLUDE_DIR RC3_SENTENCEPIECE_LIBRARY)
  if(NOT RC3_SENTENCEPIECE_INCLUDE_DIR OR NOT RC3_SENTENCEPIECE_LIBRARY)
    rc3_missing("sentencepiece" 0.1.97 libsentencepiece-dev)
  endif()
  if(NOT TARGET rc3::sentencepiece)
    add_library(rc3::sentencepiece UNKNOWN IMPORTED)
    set_target_properties(rc3::sentencepiece PROPERTIES IMPORTED_LOCATION "${RC3_SENTENCEPIECE_LIBRARY}")
    rc3_include_if_needed(rc3::sentencepiece "${RC3_SENTENCEPIECE_INCLUDE_DIR}")
    # Before all other libraries: it and LibTorch's libc10 both export FLAGS_minloglevel, of 32 and of 4 bytes, and programs have the
    # first one's. In libc10's place sentencepiece writes over the variables behind it: LibTorch then aborts where an allocation fails.
    set_target_properties(rc3::sentencepiece PROPERTIES
                          INTERFACE_LINK_OPTIONS "LINKER:--push-state,--no-as-needed,${RC3_SENTENCEPIECE_LIBRARY},--pop-state")
  endif()

endmacro()

# Option RC3_WITH_<NAME> of a target rc3::<name> that is optional: AUTO (the target is there if it is found), ON (missing is
# an error), OFF. Sets <out> to whether to look for it now.
function(rc3_option_of name what out)
  string(TOUPPER ${name} upper)
  set(RC3_WITH_${upper} AUTO CACHE STRING "${what}: AUTO (if found), ON or OFF")
  set_property(CACHE RC3_WITH_${upper} PROPERTY STRINGS AUTO ON OFF)
  set(${out} TRUE PARENT_SCOPE)
  if(NOT RC3_WITH_${upper} OR TARGET rc3::${name})
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Stops if RC3_WITH_<NAME> is ON; nothing happens if it is AUTO.
function(rc3_optional_missing name what version package)
  string(TOUPPER ${name} upper)
  if(NOT RC3_WITH_${upper} STREQUAL AUTO)
    rc3_missing("${what} (or -DRC3_WITH_${upper}=OFF)" ${version} "${package}")
  endif()
endfunction()

# rc3::turbojpeg, rc3::webp and rc3::archive, for rc3/io/image/turbojpeg.hpp, rc3/io/image/webp.hpp and rc3/io/tar.hpp;
# rc3::eigen for rc3/search, and rc3::hnswlib for rc3/search/hnsw.hpp.
# Nothing of rc3 links them: who includes one of these headers links its target.
function(rc3_find_optional_libraries)
  rc3_find_optional_library(turbojpeg turbojpeg.h 2.0 libturbojpeg0-dev)
  rc3_find_optional_library(webp webp/decode.h 0.6 libwebp-dev)
  rc3_find_optional_library(archive archive.h 3.4 libarchive-dev)
  rc3_find_optional_headers(eigen "Eigen" Eigen/Core 3.4 libeigen3-dev SUFFIXES eigen3)
  rc3_find_optional_headers(hnswlib "hnswlib" hnswlib/hnswlib.h 0.6 libhnswlib-dev)
  if(TARGET rc3::hnswlib AND TARGET rc3::eigen)
    target_link_libraries(rc3::hnswlib INTERFACE rc3::eigen)
  endif()
endfunction()

# An include directory of a target, unless the compiler looks there anyway: -isystem /usr/include breaks <cstdlib>.
function(rc3_include_if_needed target directory)
  if(NOT directory IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
    target_include_directories(${target} SYSTEM INTERFACE "${directory}")
  endif()
endfunction()

# rc3_find_optional_headers(<name> <what> <header> <version> <package> [SUFFIXES <folder>...]): a library without code.
function(rc3_find_optional_headers name what header version package)
  cmake_parse_arguments(arg "" "" "SUFFIXES" ${ARGN})
  rc3_option_of(${name} "Offer rc3::${name}" wanted)
  if(NOT wanted)
    return()
  endif()
  string(TOUPPER ${name} upper)
  find_path(RC3_${upper}_INCLUDE_DIR ${header} PATH_SUFFIXES ${arg_SUFFIXES})
  mark_as_advanced(RC3_${upper}_INCLUDE_DIR)
  if(NOT RC3_${upper}_INCLUDE_DIR)
    rc3_optional_missing(${name} "${what}" ${version} ${package})
    return()
  endif()
  add_library(rc3::${name} INTERFACE IMPORTED GLOBAL)
  rc3_include_if_needed(rc3::${name} "${RC3_${upper}_INCLUDE_DIR}")
endfunction()

function(rc3_find_optional_library name header version package)
  rc3_option_of(${name} "Offer rc3::${name}" wanted)
  if(NOT wanted)
    return()
  endif()
  string(TOUPPER ${name} upper)
  find_path(RC3_${upper}_INCLUDE_DIR ${header})
  find_library(RC3_${upper}_LIBRARY ${name})
  mark_as_advanced(RC3_${upper}_INCLUDE_DIR RC3_${upper}_LIBRARY)
  if(NOT RC3_${upper}_INCLUDE_DIR OR NOT RC3_${upper}_LIBRARY)
    rc3_optional_missing(${name} lib${name} ${version} ${package})
    return()
  endif()
  add_library(rc3::${name} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(rc3::${name} PROPERTIES IMPORTED_LOCATION "${RC3_${upper}_LIBRARY}")
  rc3_include_if_needed(rc3::${name} "${RC3_${upper}_INCLUDE_DIR}")
endfunction()

# rc3::httplib, for `rc3 serve`: cpp-httplib. Nothing of the library uses it, and it is not part of the package.
function(rc3_find_httplib)
  rc3_option_of(httplib "Build rc3 serve" wanted)
  if(NOT wanted)
    return()
  endif()
  # Debian's header declares, and a library defines; the layout of its classes depends on the definitions that
  # pkg-config gives.
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(RC3_HTTPLIB QUIET IMPORTED_TARGET GLOBAL cpp-httplib>=0.11)
  endif()
  if(NOT RC3_HTTPLIB_FOUND)
    rc3_optional_missing(httplib cpp-httplib 0.11 "libcpp-httplib-dev pkg-config")
    return()
  endif()
  add_library(rc3::httplib INTERFACE IMPORTED GLOBAL)
  target_link_libraries(rc3::httplib INTERFACE PkgConfig::RC3_HTTPLIB)
endfunction()

# rc3::gloo, for rc3/train/c10d.hpp: Gloo's headers, which LibTorch's packages leave out; its code is in LibTorch.
function(rc3_find_gloo)
  if(TARGET rc3::gloo)
    return()
  endif()
  rc3_find_optional_headers(gloo "Gloo's headers" gloo/algorithm.h 2022-05 libgloo-dev)
  if(TARGET rc3::gloo)
    rc3_add_nccl(rc3::gloo)
  endif()
endfunction()

# Lets rc3/train/c10d.hpp speak NCCL too, whose code is in LibTorch where that has CUDA; call behind rc3_find_torch().
# Its headers include those of NCCL, of CUDA and of CUDA's linear algebra: the ones of NVIDIA's Python packages beside
# LibTorch's, or of a toolkit. RC3_WITH_NCCL: AUTO (if all is found), ON (missing is an error), OFF.
function(rc3_add_nccl target)
  rc3_option_of(nccl "Let rc3::gloo bring NCCL" wanted)
  if(NOT wanted)
    return()
  endif()
  set(includes)
  if(RC3_LIB_torch_cuda)
    list(GET RC3_TORCH_INCLUDE_DIRS 0 torch)
    get_filename_component(packages "${torch}/../.." REALPATH)
    file(GLOB toolkits "${packages}/nvidia/cu[0-9]*/include")
    foreach(header nccl.h cuda_runtime_api.h crt/host_config.h cublas_v2.h cusparse.h cusolverDn.h)
      string(MAKE_C_IDENTIFIER "RC3_INCLUDE_${header}" found)
      find_path(${found} ${header}
                HINTS "${packages}/nvidia/nccl/include" ${toolkits} "${packages}/nvidia/cuda_runtime/include"
                      "${packages}/nvidia/cublas/include" "${packages}/nvidia/cusparse/include"
                      "${packages}/nvidia/cusolver/include" "$ENV{CUDA_HOME}/include" /usr/local/cuda/include)
      mark_as_advanced(${found})
      list(APPEND includes "${${found}}")
    endforeach()
  endif()
  if(NOT includes OR includes MATCHES "NOTFOUND")
    rc3_optional_missing(nccl "a LibTorch with CUDA, and the headers of CUDA and NCCL" 2.7 libnccl-dev)
    return()
  endif()
  list(REMOVE_DUPLICATES includes)
  list(REMOVE_ITEM includes ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
  target_include_directories(${target} SYSTEM INTERFACE ${includes})
  target_compile_definitions(${target} INTERFACE RC3_HAS_NCCL)
endfunction()

# stb as RC3_STB_INCLUDE_DIR. Only the library itself is compiled against it; who uses an installed rc3 needs none.
function(rc3_find_stb)
  find_path(RC3_STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb)
  mark_as_advanced(RC3_STB_INCLUDE_DIR)
  if(NOT RC3_STB_INCLUDE_DIR)
    rc3_missing("stb_image" 2.27 libstb-dev)
  endif()
endfunction()

# LibTorch as rc3::torch: from -DRC3_TORCH_DIR=<the folder that holds include/ and lib/>, -DTorch_DIR, or CMAKE_PREFIX_PATH
# (a LibTorch archive's folder, or torch.utils.cmake_prefix_path of a Python package).
#
# Why not find_package(Torch): a CUDA build of LibTorch, which is what plain PyPI gives on x86-64, then stops unless the
# whole CUDA toolkit is installed, though nothing here compiles CUDA code; and its target hands compile definitions and
# options to everyone who links it. Headers and libraries are all it takes.
function(rc3_find_torch)
  if(TARGET rc3::torch)
    return()
  endif()
  if(NOT "${RC3_TORCH_DIR}" STREQUAL "${RC3_LAST_TORCH_DIR}") # a changed wish must not find the last answer
    foreach(variable RC3_TORCH_INCLUDE_DIR RC3_LIB_torch RC3_LIB_torch_cpu RC3_LIB_c10 RC3_LIB_torch_cuda RC3_LIB_c10_cuda)
      unset(${variable} CACHE)
    endforeach()
    set(RC3_LAST_TORCH_DIR "${RC3_TORCH_DIR}" CACHE INTERNAL "")
  endif()
  set(minimum 2.7)  # the first whose Linux builds all use the C++11 string ABI
  set(header torch/csrc/api/include/torch/torch.h)
  find_path(RC3_TORCH_INCLUDE_DIR ${header} HINTS "${RC3_TORCH_DIR}" "${Torch_DIR}/../../.." "${Torch_DIR}/../.."
            PATH_SUFFIXES include ../../include)
  mark_as_advanced(RC3_TORCH_INCLUDE_DIR)
  if(NOT RC3_TORCH_INCLUDE_DIR)
    message(
      FATAL_ERROR
        "rc3 needs LibTorch, version ${minimum} or newer (tested with 2.13.0).\n"
        "  ./run setup                      installs it into a private venv; ./run passes it on\n"
        "  -DRC3_TORCH_DIR=<folder>         a LibTorch archive, unpacked: the folder with include/ and lib/\n"
        "  -DCMAKE_PREFIX_PATH=$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)')")
  endif()
  get_filename_component(include "${RC3_TORCH_INCLUDE_DIR}" REALPATH)
  get_filename_component(root "${include}" DIRECTORY)

  set(version 0)
  foreach(file torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS "${include}/${file}")
      file(STRINGS "${include}/${file}" lines REGEX "^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
      if(lines)
        list(TRANSFORM lines REPLACE "^[^ ]+ [^ ]+ " "")
        list(JOIN lines "." version)
        break()
      endif()
    endif()
  endforeach()
  if(version VERSION_LESS minimum)
    message(FATAL_ERROR "rc3 needs LibTorch ${minimum} or newer; ${root} holds ${version}")
  endif()

  set(libraries)
  foreach(name torch torch_cpu c10)
    find_library(RC3_LIB_${name} ${name} HINTS "${root}/lib" "${root}/lib/${CMAKE_LIBRARY_ARCHITECTURE}" NO_DEFAULT_PATH)
    mark_as_advanced(RC3_LIB_${name})
    if(NOT RC3_LIB_${name})
      message(FATAL_ERROR "rc3: LibTorch's headers are in ${include}, but ${root}/lib has no lib${name}")
    endif()
    list(APPEND libraries "${RC3_LIB_${name}}")
  endforeach()
  # libtorch_cuda registers its kernels when it is loaded. Nothing refers to its symbols, so the linker must be told.
  foreach(name torch_cuda c10_cuda)
    find_library(RC3_LIB_${name} ${name} HINTS "${root}/lib" NO_DEFAULT_PATH)
    mark_as_advanced(RC3_LIB_${name})
    if(RC3_LIB_${name})
      list(APPEND libraries "-Wl,--no-as-needed,${RC3_LIB_${name}},--as-needed")
    endif()
  endforeach()

  add_library(rc3::torch INTERFACE IMPORTED GLOBAL)
  target_compile_features(rc3::torch INTERFACE cxx_std_17)
  target_include_directories(rc3::torch SYSTEM INTERFACE "${include}" "${include}/torch/csrc/api/include")
  target_link_libraries(rc3::torch INTERFACE ${libraries})
  set(RC3_TORCH_VERSION ${version} CACHE INTERNAL "")
  set(RC3_TORCH_INCLUDE_DIRS "${include};${include}/torch/csrc/api/include" CACHE INTERNAL "")
  message(STATUS "LibTorch ${version}: ${root}")
endfunction()

# What only the tests, examples or benchmarks need.
function(rc3_find_boost_test)
  # The header-only form: no Boost library and no Boost CMake package is needed.
  find_path(RC3_BOOST_INCLUDE_DIR boost/test/included/unit_test.hpp)
  mark_as_advanced(RC3_BOOST_INCLUDE_DIR)
  if(NOT RC3_BOOST_INCLUDE_DIR)
    rc3_missing("Boost.Test (or -DRC3_BUILD_TESTS=OFF)" 1.74 libboost-test-dev)
  endif()
endfunction()

macro(rc3_find_example_dependencies)
  find_package(CLI11 2.1 QUIET)
  if(NOT CLI11_FOUND)
    rc3_missing("CLI11 (or -DRC3_BUILD_EXAMPLES=OFF)" 2.1 libcli11-dev)
  endif()
  find_package(PkgConfig QUIET)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(RC3_PANGO QUIET IMPORTED_TARGET pangocairo)
  endif()
  if(NOT TARGET PkgConfig::RC3_PANGO)
    rc3_missing("Pango with Cairo, found by pkg-config (or -DRC3_BUILD_EXAMPLES=OFF)" 1.50 "pkg-config libpango1.0-dev")
  endif()
endmacro()

macro(rc3_find_benchmark_dependencies)
  find_package(benchmark 1.7 QUIET)
  if(NOT benchmark_FOUND)
    rc3_missing("Google Benchmark (or -DRC3_BUILD_BENCHMARKS=OFF)" 1.7 libbenchmark-dev)
  endif()
endmacro()
