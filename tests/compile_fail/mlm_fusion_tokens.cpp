// expect: the fusion policy must offer fuse_tokens\(const Tokens&, const Tokens&\)
#include "rc3/objective/mlm.hpp"

struct WithoutTokens {
  rc3::Tokens visual(const rc3::Images&);
  rc3::Tokens text(const rc3::Texts&);
};

at::Tensor use(rc3::objective::Mlm& mlm, rc3::objective::ForwardCache<WithoutTokens>& forward) { return mlm.loss(forward); }
