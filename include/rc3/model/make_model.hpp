#pragma once
/// A model of given policies.

#include <memory>
#include <type_traits>
#include <utility>

#include "rc3/model/model.hpp"

namespace rc3 {

namespace detail {

template <class T>
struct Pointee {
  using type = T;
};
template <class T>
struct Pointee<std::shared_ptr<T>> {
  using type = T;
};

/// @p policy itself if it is shared already, else a shared one that it is moved into.
template <class T>
std::shared_ptr<typename Pointee<T>::type> shared(T policy) {
  if constexpr (std::is_same_v<typename Pointee<T>::type, T>)
    return std::make_shared<T>(std::move(policy));
  else
    return policy;
}

}  // namespace detail

/// Model of three policies: `make_model(visual::Roi({...}), text::Bert({...}), fusion::SingleStream({...}))`. A handle:
/// copies share the model.
/// @param visual, text, fusion  a policy, which is moved, or a std::shared_ptr to one, for example of from_pretrained()
/// @throws rc3::Error if the widths differ
template <class Visual, class Text, class Fusion>
auto make_model(Visual visual, Text text, Fusion fusion, const ModelOptions& options = {}) {
  using M = Model<typename detail::Pointee<Visual>::type, typename detail::Pointee<Text>::type,
                  typename detail::Pointee<Fusion>::type>;
  return std::make_shared<M>(detail::shared(std::move(visual)), detail::shared(std::move(text)),
                             detail::shared(std::move(fusion)), options);
}

}  // namespace rc3
