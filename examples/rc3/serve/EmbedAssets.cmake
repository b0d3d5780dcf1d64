# Writes a C++ source with the files of a folder:  cmake -DFOLDER=<assets> -DOUT=<source> -P EmbedAssets.cmake
include(${CMAKE_CURRENT_LIST_DIR}/../../../cmake/Glob.cmake)
rc3_glob(files ${FOLDER} *)
list(SORT files)
set(arrays)
set(rows)
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  get_filename_component(extension ${file} LAST_EXT)
  if(extension STREQUAL .html)
    set(type "text/html; charset=utf-8")
  elseif(extension STREQUAL .css)
    set(type "text/css; charset=utf-8")
  elseif(extension STREQUAL .js)
    set(type "text/javascript; charset=utf-8")
  elseif(extension STREQUAL .svg)
    set(type "image/svg+xml")
  else()
    message(FATAL_ERROR "${file}: no media type is known for ${extension}; add it to EmbedAssets.cmake")
  endif()
  string(MAKE_C_IDENTIFIER ${name} symbol)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "constexpr unsigned char ${symbol}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${name}\", {\"${type}\", {reinterpret_cast<const char*>(${symbol}), sizeof ${symbol}}}},\n")
endforeach()
file(WRITE ${OUT} "// Written by EmbedAssets.cmake.
#include \"rc3/serve/assets.hpp\"

namespace tool::serve {

namespace {

${arrays}
struct Row {
  std::string_view name;
  Asset asset;
};

const Row rows[] = {
${rows}};

}  // namespace

Asset asset(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.asset;
  return {};
}

}  // namespace tool::serve
")
