#pragma once
/// Batches of text pairs with cached features, for train::Run.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/loader/batches.hpp"
#include "rc3/data/loader/identity.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/data/loader/order.hpp"
#include "rc3/data/loader/pairing.hpp"
#include "rc3/data/text/text_id.hpp"
#include "rc3/features/cached_samples.hpp"

namespace rc3::features {

/// Order, batches and pairs that are drawn from cached samples.
struct CachedPairsOptions {
  std::uint64_t seed = 1;                         ///< of order and pairs
  std::int64_t batch = 64;                        ///< samples per batch over all ranks, > 0
  std::int64_t ranks = 1;                         ///< above 0
  std::int64_t rank = 0;                          ///< this rank, 0 .. ranks - 1
  data::Changes changes = data::Changes::refuse;  ///< of data, seed or order since the state to continue from
};

/// The same batches as data::Loader on the same samples, pair for pair: a function of (seed, epoch). Damaged samples
/// and samples without a pair are dropped before the order is drawn.
/// @tparam Host  the rc3::Model that encodes texts on first use
template <class Host>
class CachedPairs {
 public:
  /// @param host, samples  outlive this
  /// @param from           state to continue from
  /// @throws rc3::Error if no sample has a pair, or no batch ends at @p from, or as data::start_of()
  CachedPairs(Host& host, CachedSamples& samples, data::Pairing pairing, CachedPairsOptions options = {},
              std::optional<data::LoaderState> from = std::nullopt)
      : host_(host),
        samples_(samples),
        pairing_(std::move(pairing)),
        options_(options),
        paired_(with_pairs()),
        state_(data::start_of(
            from, options.seed, "shuffled", [&] { return identity(); }, options.changes, "features::CachedPairs")),
        order_({0}, static_cast<std::int64_t>(paired_.size()), {.seed = state_.seed}) {
    require(options.rank >= 0 && options.rank < options.ranks, "features::CachedPairs: rank ", options.rank, " of ",
            options.ranks);
    if (!state_.data) state_.data = identity();
    if (from) replay(state_);
    open();
    batches_->skip(state_.samples);
  }

  /// Number of samples with a pair.
  std::int64_t size() const { return static_cast<std::int64_t>(paired_.size()); }

  /// The next batch, never empty: epoch follows epoch.
  std::optional<data::Loaded<Batch>> next() {
    auto drawn = batches_->next();
    if (drawn.empty()) {
      enter(state_.epoch + 1);
      open();
      drawn = batches_->next();
    }
    state_.samples = batches_->given();
    const auto pairs = pairs_of(drawn);
    std::vector<std::int64_t> numbers;
    for (const auto& pair : pairs) numbers.push_back(pair.sample);
    return data::Loaded<Batch>{samples_.pairs(host_, pairs), state_.epoch, std::move(numbers), 0};
  }

  /// State after the last batch of next().
  data::LoaderState state() const { return state_; }

 private:
  /// Of the samples with a pair: those that the order is drawn over.
  data::DataIdentity identity() const {
    return data::identity_of(samples_.name(), size(), {0}, [&](std::int64_t i) -> const data::Sample& {
      return samples_.sample(paired_[static_cast<std::size_t>(i)]);
    });
  }

  void enter(std::int64_t epoch) {
    state_.epoch = epoch;
    state_.samples = 0;
  }

  /// Pair of sample @p i, drawn as in data::PrepareSample.
  std::optional<data::TextPair> draw(std::int64_t i, std::int64_t epoch) const {
    const auto& sample = samples_.sample(i);
    Random random(options_.seed, static_cast<std::uint64_t>(data::text_id(sample.id)),
                  static_cast<std::uint64_t>(epoch));
    return pairing_.pair(sample, random);
  }

  std::vector<std::int64_t> with_pairs() const {
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < samples_.size(); ++i)
      if (draw(i, 0)) all.push_back(i);
    require(!all.empty(), samples_.name(),
            ": no sample has two texts that make a pair; give images with texts in two languages");
    return all;
  }

  /// This rank's pairs of a batch of the present epoch.
  std::vector<PairOf> pairs_of(const std::vector<std::int64_t>& drawn) const {
    std::vector<PairOf> pairs;
    for (const auto i : data::part_of_rank(drawn, options_.rank, options_.ranks)) {
      const auto sample = paired_[static_cast<std::size_t>(i)];
      pairs.push_back({sample, *draw(sample, state_.epoch)});
    }
    return pairs;
  }

  /// Encodes the texts of all batches before @p end in the order of the run that is resumed. The last bits of a text's
  /// features depend on the texts encoded beside it; with the same neighbours a resumed run has the same weights.
  void replay(const data::LoaderState end) {
    for (enter(0); state_.epoch <= end.epoch; enter(state_.epoch + 1)) {
      open();
      while (state_.epoch < end.epoch || batches_->given() < end.samples) {
        const auto drawn = batches_->next();
        if (drawn.empty()) break;
        samples_.encode_pairs(host_, pairs_of(drawn));
      }
    }
    state_ = end;
  }

  void open() {
    data::BatchOptions batch;
    batch.size = options_.batch;
    batch.ranks = options_.ranks;
    batches_.emplace(order_.epoch(state_.epoch), state_.seed, state_.epoch, batch);
  }

  Host& host_;
  CachedSamples& samples_;
  data::Pairing pairing_;
  CachedPairsOptions options_;
  std::vector<std::int64_t> paired_;
  data::LoaderState state_;
  data::Order order_;
  std::optional<data::Batches> batches_;
};

}  // namespace rc3::features
