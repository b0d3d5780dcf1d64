#pragma once
/// One piece of work at a time beside the caller's. LibTorch-free.

#include <functional>
#include <future>
#include <utility>

namespace rc3::train {

/// What fails there is thrown here, by the next call.
class Background {
 public:
  Background() = default;
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() {
    if (work_.valid()) work_.wait();
  }

  /// Waits for the piece before, then begins @p work.
  void start(std::function<void()> work) {
    wait();
    work_ = std::async(std::launch::async, std::move(work));
  }
  void wait() {
    if (work_.valid()) work_.get();
  }

 private:
  std::future<void> work_;
};

}  // namespace rc3::train
