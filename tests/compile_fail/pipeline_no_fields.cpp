// expect: model directory: the struct of options\(\) needs a default constructor and a function visit_fields
#include "rc3/pipeline/architecture.hpp"

// The options have no list of fields.
struct Options {
  int width = 1;
};
struct Wrong {
  explicit Wrong(Options);
  Options options() const;
};
std::shared_ptr<Wrong> build(const nlohmann::ordered_json& json) { return rc3::pipeline::build<Wrong>(json, "x"); }
