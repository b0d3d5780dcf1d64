# Compiles the programs of SOURCE with what pkg-config says of rc3, and runs them. It is installed from the build tree BUILD
# into a prefix below WORK, and moved, since its files must not depend on where they are. TORCH: LibTorch; empty: only the
# program that needs none.
include(${CMAKE_CURRENT_LIST_DIR}/Step.cmake)

file(REMOVE_RECURSE ${WORK})
step(${CMAKE_COMMAND} --install ${BUILD} --component dev --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${WORK}/prefix)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmake/Glob.cmake)
rc3_glob(files ${WORK}/prefix RECURSE *.pc)
list(GET files 0 file)
get_filename_component(folder ${file} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${folder})

# Flags as a list. <name> and options of pkg-config
function(flags out)
  step(${PKG_CONFIG} --cflags --libs ${ARGN})
  separate_arguments(text UNIX_COMMAND "${text}")
  set(${out} ${text} PARENT_SCOPE)
endfunction()

step(${PKG_CONFIG} --modversion rc3-light)
string(STRIP "${text}" version)
flags(light rc3-light)
step(${COMPILER} -std=c++20 "-DEXPECTED_VERSION=\"${version}\"" ${SOURCE}/light.cpp -o ${WORK}/light ${light})
step(${WORK}/light)
if(TORCH)
  get_filename_component(torch ${TORCH} REALPATH)
  flags(all --define-variable=torch=${torch} rc3)
  step(${COMPILER} -std=c++20 ${SOURCE}/torch.cpp -o ${WORK}/torch ${all})
  step(${WORK}/torch)
endif()
message(STATUS "rc3 ${version} by pkg-config: compiled, ran")
