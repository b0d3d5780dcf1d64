#pragma once
/// The least that a user writes to meet each concept; without bodies, for concepts look at declarations only. Each file
/// of this folder takes one thing away from it.

#include "rc3/model/diagnosis.hpp"

namespace user {

struct Visual {
  rc3::Tokens encode(const rc3::Images&);
  std::int64_t width() const;
};

struct Text {
  rc3::Tokens encode(const rc3::Texts&);
  at::Tensor pool(const rc3::Tokens&);
  std::int64_t width() const;
};

struct Fusion {
  at::Tensor fuse(const rc3::Tokens& visual, const rc3::Tokens& text);
  std::int64_t width() const;
};

struct Objective {
  template <class Model>
  at::Tensor loss(rc3::objective::ForwardCache<Model>&);
};

struct Backbone {
  at::Tensor features(const rc3::Images&);
  std::int64_t channels() const;
};

using Model = rc3::Model<Visual, Text, Fusion>;

}  // namespace user
