# rc3_add_experiment(<name> CONFIG <file.hpp> [TASKS])
# A program <name> that trains the variant which the header defines as a struct Experiment; see docs/guides/experiments.md. With
# TASKS also a program <name>-tasks that fine-tunes and evaluates it on downstream tasks; see docs/guides/tasks.md.
# Needs rc3::rc3 and CLI11 (Debian: libcli11-dev). It reads shards, JPEG by libjpeg-turbo and WebP, and runs on several ranks, where
# these libraries are found.
include_guard(GLOBAL)

function(rc3_add_experiment name)
  cmake_parse_arguments(arg "TASKS" "CONFIG" "" ${ARGN})
  if(NOT arg_CONFIG)
    message(FATAL_ERROR "rc3_add_experiment(${name}): CONFIG <file.hpp> is missing")
  endif()
  if(NOT TARGET CLI11::CLI11)
    find_package(CLI11 2.1 REQUIRED)
  endif()
  get_filename_component(header "${arg_CONFIG}" ABSOLUTE)
  rc3_add_experiment_program(${name} ${header} rc3/experiment/program.hpp main)
  if(arg_TASKS)
    rc3_add_experiment_program(${name}-tasks ${header} rc3/experiment/tasks/program.hpp tasks_main)
  endif()
endfunction()

# For the above: a program whose main() is rc3::experiment::<main><Experiment>, of <program>.
function(rc3_add_experiment_program name header program main)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.experiment.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT [[#include "@header@"
#include <@program@>

int main(int argc, char** argv) { return rc3::experiment::@main@<Experiment>(argc, argv); }
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
