// expect: model directory: parts\(\) const must return a std::tuple of std::shared_ptrs
#include "rc3/pipeline/architecture.hpp"

// A part that is not shared.
struct Wrong {
  std::tuple<int> parts() const;
};
nlohmann::ordered_json describe(const Wrong& wrong) { return rc3::pipeline::describe(wrong); }
