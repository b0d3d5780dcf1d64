#pragma once
/// Files of the page, from the folder assets, inside the program.

#include <string_view>

namespace tool::serve {

struct Asset {
  std::string_view type;
  std::string_view bytes;  ///< empty: there is no such file
};

/// @param name  "page.html"; the folder's files are all that there is
Asset asset(std::string_view name);

}  // namespace tool::serve
