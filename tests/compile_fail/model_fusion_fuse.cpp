// expect: fusion policy: fuse\(const Tokens&, const Tokens&\) must return torch::Tensor .B, D. .docs/concepts/fusion\.md
// light
#include "policies.hpp"

// Gives all tokens instead of one vector a pair.
struct Wrong {
  rc3::Tokens fuse(const rc3::Tokens& visual, const rc3::Tokens& text);
  std::int64_t width() const;
};
template class rc3::Model<user::Visual, user::Text, Wrong>;
