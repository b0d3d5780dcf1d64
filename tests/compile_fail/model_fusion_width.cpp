// expect: fusion policy: width\(\) const must return std::int64_t, the D of z .docs/concepts/fusion\.md
// light
#include "policies.hpp"

// An int is no std::int64_t.
struct Wrong {
  at::Tensor fuse(const rc3::Tokens& visual, const rc3::Tokens& text);
  int width() const;
};
template class rc3::Model<user::Visual, user::Text, Wrong>;
