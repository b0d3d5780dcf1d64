#pragma once
/// Ranks that are threads of one process.

#include <barrier>
#include <exception>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include "rc3/core/communicator.hpp"

namespace rc3::test {

/// One rank of some that share a table. They take turns: a rank works until it waits for the others, since Boost.Test's
/// log, which each may write to, is no place for two threads.
class ThreadCommunicator {
 public:
  struct Table {
    explicit Table(std::int64_t size) : slots(static_cast<std::size_t>(size)), barrier(size) {}
    std::vector<at::Tensor> slots;
    std::barrier<> barrier;
    std::binary_semaphore turn{1};
  };
  ThreadCommunicator(Table& table, std::int64_t rank) : table_(&table), rank_(rank) {}

  std::int64_t rank() const { return rank_; }
  std::int64_t size() const { return static_cast<std::int64_t>(table_->slots.size()); }
  std::vector<at::Tensor> all_gather(const at::Tensor& t) {
    table_->slots[static_cast<std::size_t>(rank_)] = t.detach();
    wait_for_all();
    std::vector<at::Tensor> all;
    for (const auto& slot : table_->slots) all.push_back(slot.clone());
    wait_for_all();
    return all;
  }
  void all_reduce(at::Tensor& t) {
    const auto all = all_gather(t);
    t.zero_();
    for (const auto& other : all) t.add_(other);
  }

 private:
  void wait_for_all() {
    table_->turn.release();
    table_->barrier.arrive_and_wait();
    table_->turn.acquire();
  }

  Table* table_;
  std::int64_t rank_;
};

static_assert(Communicator<ThreadCommunicator>);

/// The same, but adds as a ring does: of n ranks, element i of a message of m has its sum begun by rank i n / m. From
/// three ranks on, and in floating point, the sum depends on where in the message an element lies.
class RingCommunicator : public ThreadCommunicator {
 public:
  using ThreadCommunicator::ThreadCommunicator;
  explicit RingCommunicator(const ThreadCommunicator& other) : ThreadCommunicator(other) {}

  void all_reduce(at::Tensor& t) {
    const auto all = all_gather(t.contiguous());
    const auto n = size(), m = t.numel();
    auto sum = at::zeros_like(all[0]).view({-1});
    for (std::int64_t first = 0; first < n; ++first) {
      const auto begin = (first * m + n - 1) / n, end = ((first + 1) * m + n - 1) / n;
      auto part = sum.narrow(0, begin, end - begin);
      for (std::int64_t k = 0; k < n; ++k)
        part.add_(all[static_cast<std::size_t>((first + k) % n)].view({-1}).narrow(0, begin, end - begin));
    }
    t.copy_(sum.view(t.sizes()));
  }

  /// What t holds now is what is summed, whatever is written to it before wait().
  struct Pending {
    RingCommunicator& comm;
    at::Tensor t, now;
    void wait() {
      comm.all_reduce(now);
      t.copy_(now);
    }
  };
  Pending all_reduce_later(const at::Tensor& t) { return {*this, t, t.clone()}; }
};

static_assert(Communicator<RingCommunicator>);

/// Runs @p work as each of @p size ranks. What the first rank throws that throws is thrown when all have ended; the
/// others go on without it.
inline void as_ranks(std::int64_t size, const std::function<void(ThreadCommunicator&)>& work) {
  ThreadCommunicator::Table table(size);
  std::exception_ptr thrown;
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      table.turn.acquire();
      try {
        ThreadCommunicator comm(table, rank);
        work(comm);
      } catch (...) {
        if (!thrown) thrown = std::current_exception();
      }
      table.turn.release();
      table.barrier.arrive_and_drop();
    });
  for (auto& thread : threads) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace rc3::test
