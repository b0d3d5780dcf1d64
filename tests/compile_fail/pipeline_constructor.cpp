// expect: model directory: a policy needs a constructor from \(parts\.\.\., options\)
#include "rc3/pipeline/architecture.hpp"

// The options come before the part.
struct Options {
  int width = 1;
};
template <class V>
void visit_fields(Options& o, V&& v) {
  v("width", o.width, "width");
}
struct Part {
  explicit Part(Options = {});
  Options options() const;
};
struct Wrong {
  Wrong(Options, std::shared_ptr<Part>);
  Options options() const;
  std::tuple<std::shared_ptr<Part>> parts() const;
};
std::shared_ptr<Wrong> build(const nlohmann::ordered_json& json) { return rc3::pipeline::build<Wrong>(json, "x"); }
