#pragma once
/// Pipeline: a model with its tokenizer and image preparation, as a model directory holds it. LibTorch-free.

#include <cstdint>
#include <memory>
#include <string>

#include "rc3/pipeline/model_card.hpp"
#include "rc3/preprocess/options.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3 {

namespace pipeline {

/// Tokenizer of a model: `M::Tokenizer` if it exists, else text::Tokenizer.
template <class M>
struct TokenizerOf {
  using type = text::Tokenizer;
};
template <class M>
requires requires { typename M::Tokenizer; }
struct TokenizerOf<M> {
  using type = typename M::Tokenizer;
};

/// Checksum of weights as they were read from a directory.
struct WeightsChecksum {
  std::string value;          ///< CRC-32C of model.safetensors, hexadecimal; empty: not from a directory
  std::uint64_t version = 0;  ///< sum of the tensors' version counters: another one means that weights changed since
};

}  // namespace pipeline

/// Model with its tokenizer and image preparation: reads strings and image files. A cheap handle: copies share the
/// model.
/// @tparam M  an rc3::Model or another model of images and texts
template <class M>
struct Pipeline {
  std::shared_ptr<M> model;                           ///< in eval mode after rc3::load
  typename pipeline::TokenizerOf<M>::type tokenizer;  ///< with its options, for example a prefix
  preprocess::PreprocessOptions images;               ///< preparation for evaluation, without augmentation
  ModelCard card = {};                                ///< for people; no part of the identity
  pipeline::WeightsChecksum checksum = {};            ///< from rc3::load; see pipeline::identity_of
};

}  // namespace rc3
