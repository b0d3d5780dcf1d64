#pragma once
/// Limit of simultaneous work: some callers run, some wait, and the rest is refused at once.

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tool::serve {

struct GateOptions {
  int running = 2;                             ///< callers at a time, > 0
  int waiting = 64;                            ///< callers that wait, >= 0
  std::chrono::milliseconds patience{10'000};  ///< longest wait
};

/// Counting semaphore with a bounded queue.
class Gate {
 public:
  explicit Gate(GateOptions options) : options_(options) {}

  /// Place at work, returned by its destructor. False: refused.
  class Pass {
   public:
    explicit Pass(Gate* gate) : gate_(gate) {}
    Pass(Pass&& other) noexcept : gate_(other.gate_) { other.gate_ = nullptr; }
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    Gate* gate_;
  };

  /// Waits for a place. @return false if too many wait already, or after the patience
  [[nodiscard]] Pass enter() {
    std::unique_lock lock(mutex_);
    if (running_ >= options_.running) {
      if (waiting_ >= options_.waiting) return Pass(nullptr);
      ++waiting_;
      const bool free = changed_.wait_for(lock, options_.patience, [this] { return running_ < options_.running; });
      --waiting_;
      if (!free) return Pass(nullptr);
    }
    ++running_;
    return Pass(this);
  }

 private:
  void leave() {
    {
      const std::lock_guard lock(mutex_);
      --running_;
    }
    changed_.notify_one();
  }

  GateOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int running_ = 0, waiting_ = 0;
};

}  // namespace tool::serve
