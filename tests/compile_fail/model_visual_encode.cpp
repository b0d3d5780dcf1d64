// expect: visual policy: encode\(const Images&\) must return rc3::Tokens .B, V, D. .docs/concepts/visual\.md
// light
#include "policies.hpp"

// Returns the values and forgets their mask.
struct Wrong {
  at::Tensor encode(const rc3::Images&);
  std::int64_t width() const;
};
template class rc3::Model<Wrong, user::Text, user::Fusion>;
