// Any bytes as a config.json: refused with an rc3::Error that names the file, or read.
#include <cstdlib>

#include "rc3/io/hf/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const rc3::io::Config config(rc3::io::parse_json(text, "config.json"), "config.json");
    if (!config.json().is_object()) return 0;
    config.model_type({"bert", "vit"});
    if (config.size("hidden_size") < 1) std::abort();
    if (!(config.positive("layer_norm_eps") > 0)) std::abort();
    if (config.dropout("hidden_dropout_prob", 0.1) >= 1) std::abort();
    config.section("vision_config").one_of("hidden_act", {"gelu"});
  } catch (const rc3::Error& error) {
    if (std::string_view(error.what()).find("config.json") == std::string_view::npos) std::abort();
  }
  return 0;
}
