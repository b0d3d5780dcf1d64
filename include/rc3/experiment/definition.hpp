#pragma once
/// Concept of an experiment's definition, see docs/guides/experiments.md.

#include <memory>
#include <type_traits>

#include "rc3/config/fields.hpp"
#include "rc3/data/loader/prepare.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3::experiment {

/// Concept of an experiment's definition. `Config` is the variant's configuration, with a list of its fields.
/// `make(config)` builds the variant; `tokenizer(config)` returns the tokenizer of its texts; `prepare(config)` returns
/// the preprocessing of its images. Optional: `stages`, a std::array of names; `configure(settings)`, which changes
/// defaults; `begin_stage(trained, config, name)`, which may freeze or unfreeze layers.
template <class E>
concept Definition = requires(const typename E::Config& config) {
  requires config::Configuration<typename E::Config>;
  requires std::is_same_v<decltype(E::make(config)), std::shared_ptr<typename E::Trained>>;
  requires std::is_same_v<decltype(E::tokenizer(config)), text::Tokenizer>;
  requires std::is_same_v<decltype(E::prepare(config)), data::PrepareOptions>;
};

}  // namespace rc3::experiment
