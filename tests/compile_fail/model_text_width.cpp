// expect: text policy: width\(\) const must return std::int64_t, the D of its tokens .docs/concepts/text\.md
// light
#include "policies.hpp"

// width is a member, not a function.
struct Wrong {
  rc3::Tokens encode(const rc3::Texts&);
  at::Tensor pool(const rc3::Tokens&);
  std::int64_t width;
};
template class rc3::Model<user::Visual, Wrong, user::Fusion>;
