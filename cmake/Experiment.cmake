# rc3_add_experiment(<name> CONFIG <file.hpp>)
# A program <name> that trains the variant which the header defines as a struct Experiment; see docs/guides/experiments.md.
# Needs rc3::rc3 and CLI11 (Debian: libcli11-dev). It reads shards, JPEG by libjpeg-turbo and WebP, and runs on several ranks, where
# these libraries are found.
include_guard(GLOBAL)

function(rc3_add_experiment name)
  cmake_parse_arguments(arg "" "CONFIG" "" ${ARGN})
  if(NOT arg_CONFIG)
    message(FATAL_ERROR "rc3_add_experiment(${name}): CONFIG <file.hpp> is missing")
  endif()
  if(NOT TARGET CLI11::CLI11)
    find_package(CLI11 2.1 REQUIRED)
  endif()
  get_filename_component(header "${arg_CONFIG}" ABSOLUTE)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.experiment.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT [[#include "@header@"
#include <rc3/experiment/program.hpp>

int main(int argc, char** argv) { return rc3::experiment::main<Experiment>(argc, argv); }
]] @ONLY)
  add_executable(${name} ${source} ${header})
  target_link_libraries(${name} PRIVATE rc3::rc3 CLI11::CLI11)
  foreach(library archive turbojpeg webp gloo)
    if(TARGET rc3::${library})
      string(TOUPPER RC3_HAS_${library} definition)
      target_link_libraries(${name} PRIVATE rc3::${library})
      target_compile_definitions(${name} PRIVATE ${definition})
    endif()
  endforeach()
endfunction()
