# The version of vcpkg's port is that of the library.
include(${RC3}/cmake/Version.cmake)
file(READ ${RC3}/packaging/vcpkg/rc3/vcpkg.json manifest)
string(JSON version GET "${manifest}" version)
if(NOT version STREQUAL RC3_VERSION)
  message(FATAL_ERROR "packaging/vcpkg/rc3/vcpkg.json is of version ${version}, include/rc3/version.hpp of ${RC3_VERSION}")
endif()
