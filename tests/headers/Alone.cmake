# cmake -DCOMPILER=<clang++> -DROOT=<our include folder> -DSYSTEM=<folder>,... -DPCH=<name>,... -DPCH_DIR=<folder of <name>.hpp
# and <name>.pch> -DHEADER=rc3/... -DSOURCE=<file that includes HEADER> -DSTAMP=<output> -P Alone.cmake
#
# Fails unless SOURCE passes -fsyntax-only. So that LibTorch is not parsed anew for each of a hundred headers, it is read
# with a precompiled header before it: the first of PCH all whose #includes HEADER reaches, through our headers, under no #if.
# Such a precompiled header adds no declaration to what HEADER sees alone, so that a missing #include stays missing. HEADER
# does not reach itself, and is never in what it is read with.
# Which one it is is decided here, each time, and not when CMake configures: an #include that goes must take its effect.
string(REPLACE "," ";" PCH "${PCH}")
string(REPLACE "," ";" SYSTEM "${SYSTEM}")

set(reached)
set(seen ${HEADER})
set(next ${HEADER})
while(next)
  list(POP_FRONT next header)
  file(STRINGS ${ROOT}/${header} lines REGEX "^[ \t]*#[ \t]*(include|if|endif)")
  set(depth 0)
  foreach(line IN LISTS lines)
    if(line MATCHES "^[ \t]*#[ \t]*if")
      math(EXPR depth "${depth} + 1")
    elseif(line MATCHES "^[ \t]*#[ \t]*endif")
      math(EXPR depth "${depth} - 1")
    elseif(depth EQUAL 0 AND line MATCHES "include[ \t]*[<\"]([^>\"]+)[>\"]")
      set(name ${CMAKE_MATCH_1})
      list(APPEND reached ${name})
      if(name MATCHES "^rc3/" AND NOT name IN_LIST seen AND EXISTS ${ROOT}/${name})
        list(APPEND seen ${name})
        list(APPEND next ${name})
      endif()
    endif()
  endforeach()
endwhile()

set(with)
set(chosen "none")
foreach(pch ${PCH})
  file(STRINGS ${PCH_DIR}/${pch}.hpp lines)
  set(all TRUE)
  foreach(line IN LISTS lines)
    string(REGEX MATCH "<([^>]+)>" _ "${line}")
    if(NOT CMAKE_MATCH_1 IN_LIST reached)
      set(all FALSE)
    endif()
  endforeach()
  if(all)
    set(with -include-pch ${PCH_DIR}/${pch}.pch)
    set(chosen ${pch})
    break()
  endif()
endforeach()

list(TRANSFORM SYSTEM PREPEND -isystem)
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I${ROOT} ${SYSTEM} ${with} -MD -MT ${STAMP} -MF
                        ${STAMP}.d ${SOURCE} RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${HEADER} does not compile alone (precompiled header: ${chosen})")
endif()
file(WRITE ${STAMP} "${chosen}\n")
