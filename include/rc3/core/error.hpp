#pragma once
/// The one exception type that rc3 throws on purpose, and the way its messages are put together.

#include <sstream>
#include <stdexcept>
#include <string>

namespace rc3 {

/// Bad input or wrong use. The message names where (file or policy), what (field or tensor) and the fix.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Joins its arguments into one string, as `operator<<` would print them.
template <class... Parts>
std::string join(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// @throws rc3::Error made of @p parts, always.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(join(parts...));
}

/// @throws rc3::Error made of @p parts unless @p holds.
template <class... Parts>
void require(bool holds, const Parts&... parts) {
  if (!holds) [[unlikely]]
    fail(parts...);
}

}  // namespace rc3
