# RC3_VERSION, from include/rc3/version.hpp. A changed version configures again.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/../include/rc3/version.hpp)
endif()
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../include/rc3/version.hpp RC3_VERSION REGEX "^#define RC3_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
list(TRANSFORM RC3_VERSION REPLACE "^#define [A-Z0-9_]+ " "")
list(JOIN RC3_VERSION "." RC3_VERSION)
