#pragma once
/// Loader of batches with worker threads. Neither the number of threads nor an interruption changes the order.
/// LibTorch-free.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/loader/batches.hpp"
#include "rc3/data/loader/identity.hpp"
#include "rc3/data/loader/loader_state.hpp"
#include "rc3/data/loader/order.hpp"

namespace rc3::data {

/// Order, batches, threads and memory of a Loader.
struct LoaderOptions {
  OrderOptions order = {};            ///< shuffling and its seed
  BatchOptions batch = {};            ///< size or budget of tokens, and number of ranks
  std::int64_t epochs = -1;           ///< number of epochs; -1: unlimited
  int workers = 2;                    ///< threads, >= 0; 0: batches are made on demand
  int prefetch = 4;                   ///< maximum batches made ahead, > 0; bounds the memory
  std::int64_t rank = 0;              ///< 0 .. batch.ranks - 1
  Changes changes = Changes::refuse;  ///< of data, seed or order since the state to continue from
};

/// Result of next().
template <class Collated>
struct Loaded {
  Collated batch;                     ///< of the intact samples
  std::int64_t epoch = 0;             ///< from 0
  std::vector<std::int64_t> samples;  ///< of this rank, including damaged ones, in order
  std::int64_t skipped = 0;           ///< number of damaged ones
};

/// Reads, prepares and collates samples. Batches come in the order of (seed, epoch). A sample that throws rc3::Error is
/// dropped from its batch and counted as "damaged sample" in `errors`, also in that order.
/// @tparam Source   a Dataset, or another Indexed; a ShardedDataset is read in long contiguous ranges
/// @tparam Prepare  `prepare(const Sample&, std::uint64_t seed, std::int64_t epoch)` (or of Source's item type), a
///                  function of its arguments, called by several threads at a time
/// @tparam Collate  `collate(std::vector<P>)` of the results of prepare, called by several threads at a time
template <Indexed Source, class Prepare, class Collate>
class Loader {
 public:
  using Prepared = std::invoke_result_t<const Prepare&, const ItemOf<Source>&, std::uint64_t, std::int64_t>;
  using Collated = std::invoke_result_t<const Collate&, std::vector<Prepared>>;

  /// @param source, errors  outlive the loader
  /// @param lengths         for a token budget; else null
  /// @param from            state to continue from
  /// @throws rc3::Error naming the invalid option, or as start_of()
  Loader(const Source& source, Prepare prepare, Collate collate, DataErrors& errors, LoaderOptions options = {},
         std::shared_ptr<const Lengths> lengths = nullptr, std::optional<LoaderState> from = std::nullopt)
      : source_(source),
        prepare_(std::move(prepare)),
        collate_(std::move(collate)),
        problems_(errors),
        options_(options),
        lengths_(std::move(lengths)),
        state_(start_of(
            from, options.order.seed, order_in_words(source, options), [&] { return identity(); }, options.changes,
            "data::Loader")),
        order_(shards(source), source.size(), options.order) {
    require(options.workers >= 0 && options.prefetch > 0,
            "data::Loader: workers must be >= 0 and prefetch above 0, are ", options.workers, " and ",
            options.prefetch);
    require(options.rank >= 0 && options.rank < options.batch.ranks, "data::Loader: rank ", options.rank, " of ",
            options.batch.ranks);
    open_epoch(state_.epoch);
    batches_->skip(state_.samples);
    for (int i = 0; i < options.workers; ++i) threads_.emplace_back([this] { work(); });
  }
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  ~Loader() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
  }

  /// The next batch with an intact sample; nullopt after the last epoch, and when @p stop returns true.
  /// @param stop  asked between batches and every 0.1 seconds of waiting; empty: never
  /// @throws rc3::Error over the budget of `errors`; after an epoch without an intact sample; with several ranks, which
  ///         must stay synchronous, also if every sample of a batch is damaged
  std::optional<Loaded<Collated>> next(const std::function<bool()>& stop = {}) {
    while (const auto job = take(stop)) {
      const auto count = static_cast<std::int64_t>(job->samples.size());
      problems_.add_samples(count);
      std::int64_t skipped = 0;
      for (const auto& damage : job->damage)
        if (!damage.empty()) {
          ++skipped;
          problems_.add("damaged sample", damage);
        }
      state_.epoch = job->epoch;
      state_.samples = job->given;
      if (job->batch) {
        lost_ = 0;
        return Loaded<Collated>{std::move(*job->batch), job->epoch, std::move(job->samples), skipped};
      }
      require(options_.batch.ranks == 1,
              "data::Loader: every sample of a batch is damaged; the last: ", job->damage.back());
      lost_ = job->given == count ? count : lost_ + count;  // the first batch of an epoch begins the count
      require(lost_ < order_.size(), "data::Loader: not one of the ", order_.size(), " samples of ", source_.name(),
              " can be used\n", problems_.report());
    }
    return std::nullopt;
  }

  /// State after the last batch of next(). The first call reads some samples for the identity of the data.
  LoaderState state() const {
    if (!state_.data) state_.data = identity();
    return state_;
  }

 private:
  /// A batch in preparation. Its vectors' elements belong to one worker each.
  struct Job {
    std::int64_t epoch = 0, given = 0;
    std::vector<std::int64_t> samples;
    std::vector<std::optional<Prepared>> prepared;
    std::vector<std::string> damage;  ///< reason for each dropped sample
    std::size_t next = 0, left = 0;   ///< index of the next free sample, and number of unfinished ones
    std::optional<Collated> batch;
    std::exception_ptr error;
    bool ready = false;
  };

  /// The next completed job; null at the end, and when @p stop returns true.
  std::shared_ptr<Job> take(const std::function<bool()>& stop) {
    std::unique_lock lock(mutex_);
    const auto stopped = [&] { return stop && stop(); };
    if (threads_.empty()) {
      while (jobs_.empty() || jobs_.front()->left > 0)
        if (stopped())
          return nullptr;
        else if (!step(lock))
          break;
    } else {
      const auto taken = [&] { return jobs_.empty() ? finished_ : jobs_.front()->ready; };
      while (!changed_.wait_for(lock, std::chrono::milliseconds(100), taken))
        if (stopped()) return nullptr;
    }
    if (stopped()) return nullptr;
    if (jobs_.empty()) return nullptr;
    const auto job = jobs_.front();
    if (job->error) std::rethrow_exception(job->error);
    jobs_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return job;
  }

  static std::vector<std::int64_t> shards(const Source& source) {
    if constexpr (ShardedDataset<Source>)
      return source.shards();
    else
      return {0};
  }
  DataIdentity identity() const {
    return identity_of(source_.name(), source_.size(), shards(source_),
                       [&](std::int64_t i) -> decltype(auto) { return source_.read(i); });
  }
  /// All that the order of samples depends on, beside data and seed.
  static std::string order_in_words(const Source& source, const LoaderOptions& options) {
    std::string words = options.order.shuffle ? "shuffled" : "as in the data";
    if (options.order.shuffle && shards(source).size() > 1) words += join(" in windows of ", options.order.window);
    if (const auto& batch = options.batch; batch.tokens > 0)
      words += join(", batches of up to ", batch.size, " samples and ", batch.tokens, " tokens cut in windows of ",
                    batch.window);
    return words;
  }

  void open_epoch(std::int64_t epoch) {
    epoch_ = epoch;
    announced_ = 0;
    batches_.emplace(order_.epoch(epoch), order_.options().seed, epoch, options_.batch, lengths_);
  }

  /// Makes a job of the next batch. Returns false at the end. Call with the lock.
  bool plan() {
    if (finished_) return false;
    auto samples = batches_->next();
    if (samples.empty()) {
      if (options_.epochs >= 0 && epoch_ + 1 >= options_.epochs) {
        finished_ = true;
        return false;
      }
      open_epoch(epoch_ + 1);
      samples = batches_->next();
    }
    announce();
    auto job = std::make_shared<Job>();
    job->epoch = epoch_;
    job->given = batches_->given();
    job->samples = part_of_rank(samples, options_.rank, options_.batch.ranks);
    job->left = job->samples.size();
    job->prepared.resize(job->left);
    job->damage.resize(job->left);
    jobs_.push_back(std::move(job));
    return true;
  }

  /// Lets the system prefetch the windows up to the one after the current batch.
  void announce() {
    if constexpr (ShardedDataset<Source>) {
      const auto window = order_.options().window;
      for (; announced_ < order_.size() && announced_ <= batches_->given() + window; announced_ += window)
        for (const auto& [first, count] : order_.epoch(epoch_).stretches(announced_)) source_.will_read(first, count);
    }
  }

  /// Prepares one sample. Returns false if there is no work for now. Call with the lock, which it releases meanwhile.
  bool step(std::unique_lock<std::mutex>& lock) {
    std::shared_ptr<Job> job;
    for (const auto& candidate : jobs_)
      if (candidate->next < candidate->samples.size()) {
        job = candidate;
        break;
      }
    if (!job) {
      if (jobs_.size() >= static_cast<std::size_t>(options_.prefetch)) return false;
      try {
        if (!plan()) return false;
      } catch (...) {  // the epoch cannot be planned: the consumer receives the error in order
        finished_ = true;
        job = std::make_shared<Job>();
        job->error = std::current_exception();
        job->ready = true;
        jobs_.push_back(job);
        changed_.notify_all();
        return false;
      }
      job = jobs_.back();
    }
    const std::size_t i = job->next++;
    lock.unlock();
    std::exception_ptr error;
    try {
      try {
        job->prepared[i].emplace(
            std::as_const(prepare_)(source_.read(job->samples[i]), order_.options().seed, job->epoch));
      } catch (const Error& damaged) {
        job->damage[i] = damaged.what();
      }
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error && !job->error) job->error = error;
    if (--job->left > 0) return true;
    lock.unlock();
    finish(*job);
    lock.lock();
    job->ready = true;
    changed_.notify_all();
    return true;
  }

  void finish(Job& job) const {
    if (job.error) return;
    try {
      std::vector<Prepared> whole;
      for (auto& one : job.prepared)
        if (one) whole.push_back(std::move(*one));
      job.prepared.clear();
      if (!whole.empty()) job.batch.emplace(collate_(std::move(whole)));
    } catch (...) {
      job.error = std::current_exception();
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (!stop_)
      if (!step(lock)) {
        if (finished_) changed_.notify_all();
        changed_.wait(lock, [&] { return stop_ || work_waits(); });
      }
  }
  bool work_waits() const {
    for (const auto& job : jobs_)
      if (job->next < job->samples.size()) return true;
    return !finished_ && jobs_.size() < static_cast<std::size_t>(options_.prefetch);
  }

  const Source& source_;
  Prepare prepare_;
  Collate collate_;
  DataErrors& problems_;
  LoaderOptions options_;
  std::shared_ptr<const Lengths> lengths_;
  mutable LoaderState state_;  ///< state() adds the identity of the data
  Order order_;
  std::int64_t lost_ = 0;  ///< samples since the last intact one, or since the epoch's begin

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> jobs_;  ///< in order; the first is the next to return
  std::optional<Batches> batches_;
  std::int64_t epoch_ = 0, announced_ = 0;
  bool finished_ = false, stop_ = false;
  std::vector<std::jthread> threads_;  ///< last member: joined first
};

}  // namespace rc3::data
