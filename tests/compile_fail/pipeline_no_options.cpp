// expect: model directory: a policy needs options\(\) const.*or parts\(\) const.*docs/concepts/model-directory\.md
#include "rc3/pipeline/architecture.hpp"

// Neither options() nor parts().
struct Wrong {};
nlohmann::ordered_json describe(const Wrong& wrong) { return rc3::pipeline::describe(wrong); }
