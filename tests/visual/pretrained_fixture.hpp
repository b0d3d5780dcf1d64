#pragma once
/// A directory that a test spoils in one place.

#include "rc3/io/hf.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

namespace rc3::test {

inline Images images_of(at::Tensor pixels) {
  Images images;
  images.pixels = std::move(pixels);
  return images;
}

/// Two images of random pixels.
inline Images random_images(std::int64_t height, std::int64_t width) {
  return images_of(at::randint(256, {2, 3, height, width}, at::kByte));
}

/// Rewrites a JSON file. @param edit  called with what it says
inline void edit_json(const std::filesystem::path& path, const std::function<void(nlohmann::json&)>& edit) {
  auto json = io::read_json(path);
  edit(json);
  io::write_file(path, json.dump(2));
}

/// Checks that @p load fails for want of each of @p keys of config.json, and names it.
/// @param section  where they are, "": at the top
inline void misses_each(const std::filesystem::path& folder, const std::string& section,
                        std::initializer_list<const char*> keys, const std::function<void()>& load) {
  const auto whole = io::read_json(folder / "config.json");
  for (const std::string key : keys) {
    edit_json(folder / "config.json", [&](auto& json) { (section.empty() ? json : json[section]).erase(key); });
    throws_with(load, "config.json", section, '"' + key + "\" is missing", "save it again");
    io::write_file(folder / "config.json", whole.dump(2));
  }
}

/// Writes model.safetensors again, under other names; an empty name leaves the tensor out.
inline void rename_weights(const std::filesystem::path& folder, const std::function<std::string(std::string)>& name) {
  std::map<std::string, at::Tensor> tensors;
  {
    const io::Weights weights(folder);
    for (const auto& [old, reader] : weights.readers())
      if (const auto now = name(old); !now.empty()) tensors.emplace(now, reader->read(old).clone());
  }
  io::safetensors::save(folder / "model.safetensors", tensors, {{"format", "pt"}});
}

/// The parameters that learn, up to the second dot of their names.
inline std::set<std::string> learning(const torch::nn::Module& module) {
  std::set<std::string> names;
  for (const auto& item : module.named_parameters())
    if (item.value().requires_grad()) {
      const auto& key = item.key();
      names.insert(key.substr(0, key.find('.', key.find('.') + 1)));
    }
  return names;
}

}  // namespace rc3::test
