#pragma once

#include <malloc.h>

#include <fstream>
#include <string>

namespace bench {

/// Highest resident memory, MB, above what was resident when made.
class Peak {
 public:
  Peak() {
    malloc_trim(0);  // what an earlier run freed is given back, so that it is not taken for nothing
    std::ofstream("/proc/self/clear_refs") << '5';
    before_ = mark();
  }
  double before() const { return before_ / 1024; }
  double rise() const { return (mark() - before_) / 1024; }

 private:
  static double mark() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
      if (word == "VmHWM:") {
        double kb = 0;
        status >> kb;
        return kb;
      }
    return 0;
  }
  double before_;
};

}  // namespace bench
