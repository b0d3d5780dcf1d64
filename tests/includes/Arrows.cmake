# cmake -DROOT=include -P Arrows.cmake: reads every #include "rc3/..." below ROOT and fails on one that points back or
# to a sibling.
#
# The layers. A folder may include itself and every folder of a line before its own. io stands below text and visual,
# which read models and images through it. metric needs
# nothing but core. relevance takes its text encoder as a template parameter, so that it needs
# no arrow to text.
set(layers #
    "core" #
    "io metric report" #
    "config" #
    "preprocess" #
    "search text visual fusion relevance regularizer" #
    "objective data" #
    "model" #
    "features" #
    "train task" #
    "pipeline" #
    "experiment")

set(rank 0)
foreach(layer ${layers})
  string(REPLACE " " ";" folders "${layer}")
  foreach(folder ${folders})
    set(rank_of_${folder} ${rank})
  endforeach()
  math(EXPR rank "${rank} + 1")
endforeach()

include(${CMAKE_CURRENT_LIST_DIR}/../../cmake/Glob.cmake)
set(wrong)
set(count 0)
rc3_glob(headers ${ROOT}/rc3 RECURSE RELATIVE *.hpp)
foreach(header ${headers})
  if(NOT header MATCHES "^([a-z_]+)/")
    continue()  # rc3.hpp and fwd.hpp belong to no folder: rc3.hpp may include everything
  endif()
  set(from ${CMAKE_MATCH_1})
  if(NOT DEFINED rank_of_${from})
    list(APPEND wrong "rc3/${header}: folder ${from} has no layer in tests/includes/Arrows.cmake")
    continue()
  endif()
  file(STRINGS ${ROOT}/rc3/${header} lines REGEX "^ *# *include *[\"<]rc3/")
  foreach(line ${lines})
    math(EXPR count "${count} + 1")
    string(REGEX MATCH "[\"<]rc3/([^\">]+)" _ "${line}")
    set(target ${CMAKE_MATCH_1})
    if(target STREQUAL "fwd.hpp")
      continue()
    elseif(NOT target MATCHES "^([a-z_]+)/")
      list(APPEND wrong "rc3/${header} includes rc3/${target}: an umbrella is for users, not for headers")
      continue()
    endif()
    set(to ${CMAKE_MATCH_1})
    if(NOT EXISTS ${ROOT}/rc3/${target})
      list(APPEND wrong "rc3/${header} includes rc3/${target}, which does not exist")
    elseif(NOT DEFINED rank_of_${to})
      list(APPEND wrong "rc3/${header} includes rc3/${target}: folder ${to} has no layer")
    elseif(to STREQUAL from OR rank_of_${to} LESS rank_of_${from})
      continue()
    elseif(rank_of_${to} EQUAL rank_of_${from})
      list(APPEND wrong "rc3/${header} includes rc3/${target}: ${from} and ${to} are siblings")
    else()
      list(APPEND wrong "rc3/${header} includes rc3/${target}: the arrow from ${from} to ${to} points back")
    endif()
  endforeach()
endforeach()

list(LENGTH headers files)
message(STATUS "${count} arrows in ${files} headers")
if(wrong)
  list(JOIN wrong "\n  " text)
  message(FATAL_ERROR "wrong includes:\n  ${text}")
endif()
