# What is installed, and the Debian packages of it. Included by the top folder.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(RC3_CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/rc3)
set(RC3_PKGCONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(DIRECTORY include/rc3 TYPE INCLUDE COMPONENT dev FILES_MATCHING PATTERN "*.hpp")
# Two sets, so that find_package(rc3 COMPONENTS light) needs no LibTorch.
install(TARGETS rc3_light rc3_stb_image EXPORT rc3-light-targets COMPONENT dev)
install(EXPORT rc3-light-targets NAMESPACE rc3:: DESTINATION ${RC3_CONFIG_DIR} COMPONENT dev)
if(RC3_WITH_TORCH)
  install(TARGETS rc3_rc3 EXPORT rc3-torch-targets COMPONENT dev)
  install(EXPORT rc3-torch-targets NAMESPACE rc3:: DESTINATION ${RC3_CONFIG_DIR} COMPONENT dev)
endif()
configure_package_config_file(cmake/rc3Config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/rc3Config.cmake
                              INSTALL_DESTINATION ${RC3_CONFIG_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/rc3ConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rc3Config.cmake ${CMAKE_CURRENT_BINARY_DIR}/rc3ConfigVersion.cmake
              cmake/Dependencies.cmake cmake/Experiment.cmake cmake/Precompiled.cmake
        DESTINATION ${RC3_CONFIG_DIR} COMPONENT dev)

# pkg-config: rc3-light and rc3, as the CMake targets. LibTorch has no file of its own, so that of rc3 has a variable.
# The prefix is relative to the file: an installed tree can be moved.
file(RELATIVE_PATH RC3_PC_PREFIX /prefix/${RC3_PKGCONFIG_DIR} /prefix)
set(RC3_PC_TORCH /opt/libtorch)
if(RC3_TORCH_DIR)
  file(REAL_PATH "${RC3_TORCH_DIR}" RC3_PC_TORCH)
endif()
set(pc rc3-light)
if(RC3_WITH_TORCH)
  list(APPEND pc rc3)
endif()
foreach(name ${pc})
  configure_file(packaging/pkgconfig/${name}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${RC3_PKGCONFIG_DIR} COMPONENT dev)
endforeach()

# Debian packages, by `cpack -G DEB`: librc3-dev is the library, rc3 the tool where it is built.
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/librc3-dev RENAME copyright COMPONENT dev)
set(CPACK_PACKAGE_VENDOR rc3)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "multilingual vision-language models in C++20, on LibTorch")
set(CPACK_PACKAGE_CONTACT "rc3 maintainers <maintainers@rc3.invalid>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL dev)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME librc3-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "nlohmann-json3-dev (>= 3.10.5), libsentencepiece-dev (>= 0.1.97)")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "cmake (>= 3.25), libeigen3-dev, libturbojpeg0-dev, libwebp-dev, libarchive-dev, libcli11-dev")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "libhnswlib-dev, libgloo-dev, pkg-config")
set(CPACK_DEBIAN_DEV_DESCRIPTION
    "Headers, one static library, and files for CMake and pkg-config.\n LibTorch 2.7 or later is not in Debian: CMake takes it from CMAKE_PREFIX_PATH or RC3_TORCH_DIR.")
if(RC3_BUILD_EXAMPLES)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/rc3 RENAME copyright COMPONENT tool)
  list(APPEND CPACK_COMPONENTS_ALL tool)
  get_filename_component(torch "${RC3_LIB_c10}" DIRECTORY)
  set(CPACK_DEBIAN_TOOL_PACKAGE_NAME rc3)
  set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_TOOL_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${torch}")
  set(CPACK_DEBIAN_TOOL_DESCRIPTION
      "The tool rc3: search of photographs in any language, checks of models and data sets.\n It needs LibTorch ${RC3_TORCH_VERSION} in ${torch}, which is in no package.")
endif()
include(CPack)
