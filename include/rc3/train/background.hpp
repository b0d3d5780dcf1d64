#pragma once
/// Background thread for one task at a time. LibTorch-free.

#include <functional>
#include <future>
#include <utility>

namespace rc3::train {

/// A failure of the task is thrown by the next call.
class Background {
 public:
  Background() = default;
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() {
    if (work_.valid()) work_.wait();
  }

  /// Waits for the previous task, then starts @p work.
  void start(std::function<void()> work) {
    wait();
    work_ = std::async(std::launch::async, std::move(work));
  }
  /// Waits for the task. @throws what it threw, once
  void wait() {
    if (work_.valid()) work_.get();
  }

 private:
  std::future<void> work_;
};

}  // namespace rc3::train
