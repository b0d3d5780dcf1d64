# step(<command>...): runs it, and stops with its output if it fails. The output is in `text`.
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}:\n${output}${errors}")
  endif()
  set(text "${output}" PARENT_SCOPE)
endfunction()
