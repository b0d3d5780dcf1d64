// expect: text policy: encode\(const Texts&\) must return rc3::Tokens .B, L, D. .docs/concepts/text\.md
// light
#include "policies.hpp"

// Wants the texts for itself, to change them.
struct Wrong {
  rc3::Tokens encode(rc3::Texts&);
  at::Tensor pool(const rc3::Tokens&);
  std::int64_t width() const;
};
template class rc3::Model<user::Visual, Wrong, user::Fusion>;
