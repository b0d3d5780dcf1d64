# cmake -DCOMPILER= -DINCLUDE= -DHEADERS=a,b,c -DFILE=<scratch file> -P Syntax.cmake: fails unless all headers pass
# -fsyntax-only, in one file: that each compiles alone is what headers.light says, with g++, and a process a header took
# four minutes of every run.
string(REPLACE "," ";" HEADERS "${HEADERS}")
set(text "")
foreach(header ${HEADERS})
  string(APPEND text "#include \"${header}\"\n")
endforeach()
file(WRITE ${FILE} "${text}")
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I${INCLUDE} -x c++ ${FILE}
                RESULT_VARIABLE result)
list(LENGTH HEADERS count)
message(STATUS "${count} headers")
if(NOT result EQUAL 0)
  message(FATAL_ERROR "clang refuses a header")
endif()
