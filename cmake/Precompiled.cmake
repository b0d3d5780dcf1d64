# rc3_precompile_headers(<target>... [HEADERS <header>...])
# Sources of the targets have the headers included, by default rc3/rc3.hpp. They are compiled once, for the first target; the
# others need the same compile options.
include_guard(GLOBAL)

function(rc3_precompile_headers first)
  cmake_parse_arguments(arg "" "" "HEADERS" ${ARGN})
  if(NOT arg_HEADERS)
    set(arg_HEADERS rc3/rc3.hpp)
  endif()
  list(TRANSFORM arg_HEADERS REPLACE "(.+)" "<\\1>")
  target_precompile_headers(${first} PRIVATE ${arg_HEADERS})
  foreach(target ${arg_UNPARSED_ARGUMENTS})
    target_precompile_headers(${target} REUSE_FROM ${first})
  endforeach()
endfunction()
