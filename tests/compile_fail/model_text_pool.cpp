// expect: text policy: pool\(const Tokens&\) must return torch::Tensor .B, D. .docs/concepts/text\.md
// light
#include "policies.hpp"

// Has tokens, but no vector for a whole text.
struct Wrong {
  rc3::Tokens encode(const rc3::Texts&);
  std::int64_t width() const;
};
template class rc3::Model<user::Visual, Wrong, user::Fusion>;
