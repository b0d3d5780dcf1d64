#pragma once
/// The exception type of rc3 and the construction of its messages.

#include <sstream>
#include <stdexcept>
#include <string>

namespace rc3 {

/// Invalid input or wrong use. The message names the place (file or policy), the field or tensor, and the fix.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Concatenation of the arguments, as `operator<<` prints them.
template <class... Parts>
std::string join(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// @throws rc3::Error with the message @p parts, always.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(join(parts...));
}

/// @throws rc3::Error with the message @p parts unless @p holds.
template <class... Parts>
void require(bool holds, const Parts&... parts) {
  if (!holds) [[unlikely]]
    fail(parts...);
}

}  // namespace rc3
