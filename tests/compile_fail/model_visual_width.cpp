// expect: visual policy: width\(\) const must return std::int64_t, the D of its tokens .docs/concepts/visual\.md
// light
#include "policies.hpp"

// width() is not const.
struct Wrong {
  rc3::Tokens encode(const rc3::Images&);
  std::int64_t width();
};
template class rc3::Model<Wrong, user::Text, user::Fusion>;
