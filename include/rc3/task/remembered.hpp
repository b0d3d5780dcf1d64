#pragma once
/// A task's examples in memory, with what frozen layers made of them: the first epoch costs what it costs, every
/// further one only the layers that learn.

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/data/loader.hpp"
#include "rc3/data/text_id.hpp"
#include "rc3/task/batch.hpp"
#include "rc3/task/collate.hpp"
#include "rc3/visual/keep.hpp"

namespace rc3::task {

namespace detail {

/// Rows of different lengths as one tensor, padded with zeros along dimension 1; undefined where the first is.
inline at::Tensor stack_padded(const std::vector<at::Tensor>& rows) {
  if (rows.empty() || !rows[0].defined()) return {};
  auto shape = rows[0].sizes().vec();
  shape[0] = 0;
  for (const auto& row : rows) {
    shape[0] += row.size(0);
    if (row.dim() > 1) shape[1] = std::max(shape[1], row.size(1));
  }
  // By copies: cat would take part in autocast, which knows no half precision on the CPU.
  auto all = at::zeros(shape, rows[0].options());
  std::int64_t at = 0;
  for (const auto& row : rows) {
    auto place = all.narrow(0, at, row.size(0));
    (row.dim() > 1 ? place.narrow(1, 0, row.size(1)) : place).copy_(row);
    at += row.size(0);
  }
  return all;
}

}  // namespace detail

/// Pictures that are equal to the last pixel, and equal texts, are kept and computed once, so that the same pictures in
/// twenty languages cost one pass. Good for as many examples as fit into memory; for more, use data::Loader.
class Remembered {
 public:
  /// Reads all of @p source. @param host  an rc3::Model; what it has frozen must stay as it is from here on
  /// @param prepare  a task::Prepare without augmentation
  /// @param problems  counts damaged examples, which are left out
  /// @param tick     is told (examples done, examples in all)
  template <class Host, data::Indexed Source, class Prepare>
  Remembered(Host& host, const Source& source, Prepare prepare, data::Problems& problems,
             const std::function<void(std::int64_t, std::int64_t)>& tick = {}) {
    data::LoaderOptions options;
    options.order.shuffle = false;
    options.batch.size = 32;
    options.epochs = 1;
    options.workers = 1;
    struct Whole {
      std::vector<Prepared> operator()(std::vector<Prepared> all) const { return all; }
    };
    data::Loader loader(source, std::move(prepare), Whole{}, problems, options);
    const bool training = host.is_training();
    host.eval();
    std::int64_t done = 0;
    while (auto loaded = loader.next()) {
      add(host, loaded->batch);
      done += static_cast<std::int64_t>(loaded->samples.size());
      if (tick) tick(done, source.size());
    }
    host.train(training);
    require(!rows_.empty(), source.name(), ": holds no good example\n", problems.report());
  }

  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }
  /// Different pictures among them.
  std::int64_t pictures() const { return static_cast<std::int64_t>(pictures_.size()); }
  /// What example @p i of 0 .. size() - 1 was made from, without its views.
  const data::Example& example(std::int64_t i) const { return row(i).example; }
  /// Its class, -1 where it is not known.
  std::int64_t label(std::int64_t i) const { return row(i).label; }

  /// @param index  places in the order of the source, damaged ones left out
  Batch batch(const std::vector<std::int64_t>& index) const { return batch(index, index); }

  /// The texts and answers of @p index beside the pictures of @p seen, as many examples.
  Batch batch(const std::vector<std::int64_t>& index, const std::vector<std::int64_t>& seen) const {
    require(!index.empty(), "task::Remembered: a batch without examples");
    require(seen.size() == index.size(), "task::Remembered: ", seen.size(), " examples' pictures for ", index.size(),
            " texts");
    std::vector<const Row*> rows;
    for (const std::int64_t i : index) rows.push_back(&row(i));
    Batch batch;
    std::vector<std::size_t> left, right;
    std::vector<std::int64_t> picture_ids;
    for (const std::int64_t i : seen) {
      left.push_back(row(i).left.value());
      if (row(i).right) right.push_back(*row(i).right);
      picture_ids.push_back(picture_of(i));
    }
    batch.pictures = stack(left);
    if (!right.empty()) batch.right = stack(right);
    std::vector<at::Tensor> ids, mask, hidden;
    std::vector<std::vector<std::int64_t>> targets;
    std::vector<std::int64_t> labels, languages, text_ids;
    for (const Row* row : rows) {
      text_ids.push_back(static_cast<std::int64_t>(row->text));
      const Texts& text = texts_[row->text];
      ids.push_back(text.ids);
      mask.push_back(text.mask);
      if (text.hidden.defined()) hidden.push_back(text.hidden);
      labels.push_back(row->label);
      targets.push_back(row->target);
      languages.push_back(row->target_language);
    }
    batch.texts = {detail::stack_padded(ids), detail::stack_padded(mask), detail::stack_padded(hidden)};
    if (batch.texts.hidden.defined()) batch.texts.hidden = batch.texts.hidden.to(at::kFloat);
    // Padding is zero in stack_padded, and the tokenizer's is not.
    batch.texts.ids.masked_fill_(~batch.texts.mask, text::Tokenizer::pad);
    if (rows[0]->target_language < 0) {
      batch.labels = at::tensor(labels, at::kLong);
    } else {
      batch.targets = text::pad_batch(targets);
      batch.target_languages = at::tensor(languages, at::kLong);
    }
    batch.picture_ids = at::tensor(picture_ids, at::kLong);
    batch.text_ids = at::tensor(text_ids, at::kLong);
    return batch;
  }

  /// The number of example @p i's (left) picture, 0 .. pictures() - 1.
  std::int64_t picture_of(std::int64_t i) const { return static_cast<std::int64_t>(row(i).left.value()); }

  /// An example about another picture, or two others, half of all examples away: neighbours are often about one
  /// picture.
  /// @throws rc3::Error when all are about one picture
  std::int64_t elsewhere(std::int64_t i) const {
    for (std::int64_t k = 0; k < size(); ++k) {
      const std::int64_t j = (i + size() / 2 + k) % size();
      if (row(j).left != row(i).left && (!row(i).right || row(j).right != row(i).right)) return j;
    }
    fail("task::Remembered: all ", size(), " examples are about one picture, there is no other to be seen instead");
  }

  /// The different pictures from @p begin to @p end, one row each.
  Pictures pictures(std::int64_t begin, std::int64_t end) const {
    std::vector<std::size_t> which;
    for (; begin < end; ++begin) which.push_back(static_cast<std::size_t>(begin));
    return stack(which);
  }

 private:
  struct Row {
    std::optional<std::size_t> left, right;  ///< into pictures_
    std::size_t text = 0;                    ///< into texts_
    std::int64_t label = -1;
    std::vector<std::int64_t> target;
    std::int64_t target_language = -1;
    data::Example example;
  };

  const Row& row(std::int64_t i) const {
    require(i >= 0 && i < size(), "task::Remembered: example ", i, " of ", size());
    return rows_[static_cast<std::size_t>(i)];
  }

  template <class Host>
  void add(Host& host, std::vector<Prepared>& examples) {
    c10::NoGradGuard no_grad;
    const auto device = nn::device_of(host);  // where it computes; what is kept lies in the CPU's memory
    std::vector<const data::PreparedPicture*> fresh;
    std::vector<std::vector<std::int64_t>> fresh_texts;
    for (const Prepared& e : examples) {
      Row row;
      row.left = place(e.pictures.at(0), fresh);
      if (e.pictures.size() == 2) row.right = place(e.pictures[1], fresh);
      const auto key = data::text_id(bytes(e.text.data(), e.text.size()));
      const auto [found, is_new] = text_at_.try_emplace(key, texts_.size() + fresh_texts.size());
      if (is_new) fresh_texts.push_back(e.text);
      row.text = found->second;
      row.label = e.label;
      row.target = e.target;
      row.target_language = e.target_language;
      row.example = e.example;
      rows_.push_back(std::move(row));
    }
    if (!fresh.empty()) {
      const auto kept = visual::keep(*host.visual_policy(), data::collate_pictures(fresh).to(device)).to(at::kCPU);
      for (std::int64_t i = 0; i < kept.size(); ++i) pictures_.push_back(kept.select(at::tensor({i}, at::kLong)));
    }
    if (fresh_texts.empty()) return;
    Texts texts = text::pad_batch(fresh_texts);
    if constexpr (requires { host.text_policy()->frozen_layers(); })
      if (host.text_policy()->frozen_layers() >= 0)
        texts.hidden = host.text_policy()->lower(texts.to(device)).values.to(at::kHalf).cpu();
    for (std::size_t i = 0; i < fresh_texts.size(); ++i) {
      const auto row = texts.select(at::tensor({static_cast<std::int64_t>(i)}, at::kLong));
      const auto length = static_cast<std::int64_t>(fresh_texts[i].size());
      texts_.push_back({row.ids.narrow(1, 0, length).clone(), row.mask.narrow(1, 0, length).clone(),
                        row.hidden.defined() ? row.hidden.narrow(1, 0, length).clone() : row.hidden});
    }
  }

  static std::string_view bytes(const void* data, std::size_t numbers) {
    return {static_cast<const char*>(data), numbers * sizeof(std::int64_t)};
  }

  /// Where the picture is, or will be behind those of @p fresh.
  std::size_t place(const data::PreparedPicture& picture, std::vector<const data::PreparedPicture*>& fresh) {
    const auto raw = [](const auto& v) {
      return data::text_id({reinterpret_cast<const char*>(v.data()), v.size() * sizeof(v[0])});
    };
    const std::int64_t key[] = {raw(picture.pixels), raw(picture.regions.boxes), raw(picture.regions.features)};
    const auto [found, is_new] = picture_at_.try_emplace(data::text_id(bytes(key, 3)), pictures_.size() + fresh.size());
    if (is_new) fresh.push_back(&picture);
    return found->second;
  }

  Pictures stack(const std::vector<std::size_t>& which) const {
    const auto all = [&](at::Tensor Pictures::*member) {
      std::vector<at::Tensor> parts;
      for (const std::size_t i : which) parts.push_back(pictures_.at(i).*member);
      return detail::stack_padded(parts);
    };
    return {all(&Pictures::pixels),   all(&Pictures::regions),       all(&Pictures::boxes),
            all(&Pictures::sizes),    all(&Pictures::region_mask),   all(&Pictures::patch_mask),
            all(&Pictures::features), all(&Pictures::region_classes)};
  }

  std::vector<Row> rows_;
  std::vector<Pictures> pictures_;  ///< one row each
  std::vector<Texts> texts_;        ///< one row each, without padding
  std::unordered_map<std::int64_t, std::size_t> picture_at_, text_at_;
};

/// The ranks that batches are dealt to.
struct Ranks {
  std::int64_t size = 1;  ///< > 0
  std::int64_t rank = 0;  ///< this one, 0 .. size - 1
};

/// Batches of remembered examples for train::Run, in an order that is a function of (seed, epoch). On several ranks
/// each has its part of every batch, and all remember the same examples.
class RememberedBatches {
 public:
  /// @param examples  outlives this
  /// @param size      of a batch over all ranks, at least their number; an epoch's last may be smaller
  /// @param from      where to go on, on any number of ranks
  /// @throws rc3::Error naming the argument that is wrong
  RememberedBatches(const Remembered& examples, std::int64_t size, std::uint64_t seed,
                    std::optional<data::LoaderState> from = std::nullopt, Ranks ranks = {})
      : examples_(examples),
        size_(size),
        ranks_(ranks),
        state_(from.value_or(data::LoaderState{seed, 0, 0})),
        order_({0}, examples.size(), {.seed = state_.seed}) {
    require(size > 0, "task::RememberedBatches: a batch must have a size above 0, has ", size);
    require(ranks.rank >= 0 && ranks.rank < ranks.size, "task::RememberedBatches: rank ", ranks.rank, " of ",
            ranks.size);
    require(std::min(size, examples.size()) >= ranks.size, "task::RememberedBatches: a batch of ",
            std::min(size, examples.size()), " has not one example for each of ", ranks.size, " ranks");
  }

  /// Never nothing: epoch follows epoch. Where an epoch ends with fewer examples than ranks, they are left out.
  std::optional<data::Loaded<Batch>> next() {
    if (examples_.size() - state_.samples < ranks_.size) state_ = {state_.seed, state_.epoch + 1, 0};
    const auto order = order_.epoch(state_.epoch);
    std::vector<std::int64_t> index;
    for (std::int64_t i = 0; i < size_ && state_.samples < examples_.size(); ++i, ++state_.samples)
      if (i % ranks_.size == ranks_.rank) index.push_back(order[state_.samples]);
    return data::Loaded<Batch>{examples_.batch(index), state_.epoch, index, 0};
  }
  data::LoaderState state() const { return state_; }

 private:
  const Remembered& examples_;
  std::int64_t size_;
  Ranks ranks_;
  data::LoaderState state_;
  data::Order order_;
};

}  // namespace rc3::task
