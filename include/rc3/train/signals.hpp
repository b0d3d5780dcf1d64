#pragma once
/// Signal handlers of a run. LibTorch-free.

#include <csignal>

#include <array>
#include <cstddef>

namespace rc3::train {

/// Scope guard: SIGINT and SIGTERM request a stop after the current step, and SIGUSR1 a checkpoint. A second SIGINT
/// ends the program at once, as without this. At most one per program at a time.
class Signals {
 public:
  Signals() {
    constexpr auto once = static_cast<int>(SA_RESETHAND);
    flags().stop = 0;
    flags().save = 0;
    install(SIGINT, &stop, once, 0);
    install(SIGTERM, &stop, once, 1);
    install(SIGUSR1, &save, 0, 2);
  }
  ~Signals() {
    ::sigaction(SIGINT, &before_[0], nullptr);
    ::sigaction(SIGTERM, &before_[1], nullptr);
    ::sigaction(SIGUSR1, &before_[2], nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Whether SIGINT or SIGTERM came.
  bool stop_wanted() const { return flags().stop != 0; }
  /// Whether SIGUSR1 came since the last call.
  bool take_save() {
    if (flags().save == 0) return false;
    flags().save = 0;
    return true;
  }

 private:
  struct Flags {
    volatile std::sig_atomic_t stop = 0, save = 0;
  };
  static Flags& flags() {
    static Flags all;
    return all;
  }
  static void stop(int) { flags().stop = 1; }
  static void save(int) { flags().save = 1; }

  void install(int signal, void (*handler)(int), int options, std::size_t slot) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | options;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, &before_[slot]);
  }

  std::array<struct sigaction, 3> before_{};
};

}  // namespace rc3::train
