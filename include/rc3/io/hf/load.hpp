#pragma once
/// Weights of a pretrained directory, copied into a module by name.

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/nn/uninitialized.hpp"
#include "rc3/io/safetensors.hpp"
#include "rc3/io/weights.hpp"

namespace rc3::io {

/// Mapping of a file's names to a module's.
struct LoadOptions {
  /// Prefixes, of which the first match is removed; for example {"roberta.", "bert."}.
  std::vector<std::string> strip_prefixes;
  /// Names, without prefix, that may be missing from the module: regular expressions for the whole name.
  std::vector<std::string> ignore;
  /// Applied last; returns the name of a parameter or buffer. Unset: the name is unchanged.
  std::function<std::string(const std::string&)> rename;
  /// Parameters and buffers of the module that may be missing from the file: regular expressions, as above.
  std::vector<std::string> optional;
  /// Whether a missing or unused name is an error.
  bool strict = true;
};

/// Result of load_weights: names of the module in `loaded` and `missing`, names of the file in `unused` and `ignored`;
/// sorted.
struct LoadReport {
  std::vector<std::string> loaded;   ///< parameters and buffers that were read
  std::vector<std::string> missing;  ///< of the module, not in the file
  std::vector<std::string> unused;   ///< of the file, not in the module
  std::vector<std::string> ignored;  ///< of the file, by LoadOptions::ignore
};

/// Tensors by name, each with its shape and type before its values are read.
struct TensorSource {
  /// A tensor that is read when it is needed.
  struct Entry {
    std::vector<std::int64_t> shape;   ///< known without reading the values
    at::ScalarType type = at::kFloat;  ///< in the file; load_weights() converts floating-point ones
    std::function<at::Tensor()> read;  ///< reads the values, on the CPU
  };
  std::string where;                     ///< in errors: the file or directory
  std::map<std::string, Entry> entries;  ///< by name, as load_weights() maps it

  /// Adds a part or another view of mapped tensors.
  void add(const std::string& name, std::function<at::Tensor()> read) {
    const auto tensor = read();
    entries.emplace(name, Entry{tensor.sizes().vec(), tensor.scalar_type(), std::move(read)});
  }
};

/// Tensors of @p weights whose names start with @p prefix, without it.
inline TensorSource source_of(const std::shared_ptr<const Weights>& weights, std::string_view prefix = "") {
  TensorSource source{weights->path().string(), {}};
  for (const auto& [name, reader] : weights->readers()) {
    if (!name.starts_with(prefix)) continue;
    const safetensors::Entry& entry = *reader->find(name);
    source.entries.emplace(name.substr(prefix.size()),
                           TensorSource::Entry{entry.shape, safetensors::scalar_type(entry.dtype),
                                               [weights, name = name] { return weights->read(name); }});
  }
  return source;
}

/// Tensors of a .safetensors file or a pretrained directory. They are mapped: read from the disk on first use;
/// io::Mapping states the restrictions on the file. @throws rc3::Error for an invalid file
inline TensorSource source_of(const std::filesystem::path& path) {
  return source_of(std::make_shared<const Weights>(path, safetensors::Access::mapped));
}

namespace detail {

inline std::string first_names(const std::vector<std::string>& names) {
  std::string text = join(names.size(), " (");
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 4); ++i) text += (i > 0 ? ", " : "") + names[i];
  return text + (names.size() > 4 ? ", ...)" : ")");
}

/// Whether one of the expressions matches the whole name.
class Matcher {
 public:
  explicit Matcher(const std::vector<std::string>& expressions) {
    for (const auto& expression : expressions) try {
        all_.emplace_back(expression);
      } catch (const std::regex_error& error) {
        fail("load_weights: the regular expression \"", expression, "\": ", error.what());
      }
  }
  bool operator()(const std::string& name) const {
    return std::any_of(all_.begin(), all_.end(), [&](const std::regex& r) { return std::regex_match(name, r); });
  }

 private:
  std::vector<std::regex> all_;
};

}  // namespace detail

/// Reads tensors into the parameters and buffers of @p module with the same names. Floating-point types are converted
/// (a file in bfloat16 to a module in float32); other types are not.
///
/// All names, shapes and types are checked before the first value is read. The module takes the memory of a tensor of
/// its own type.
/// @throws rc3::Error for a different shape or type, two names of one parameter, and, with
///         options.strict, a parameter missing from the file or an unused name of the file.
inline LoadReport load_weights(torch::nn::Module& module, const TensorSource& source, const LoadOptions& options = {}) {
  std::map<std::string, at::Tensor> targets;
  for (const auto& item : module.named_parameters()) targets.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) targets.emplace(item.key(), item.value());

  const detail::Matcher ignore(options.ignore);
  const detail::Matcher optional(options.optional);
  LoadReport report;
  std::map<std::string, std::string> sources;  // module's name -> file's name
  for (const auto& [name, entry] : source.entries) {
    std::string_view rest = name;
    for (const std::string& prefix : options.strip_prefixes)
      if (rest.starts_with(prefix)) {
        rest.remove_prefix(prefix.size());
        break;
      }
    const std::string stripped(rest);
    if (ignore(stripped)) {
      report.ignored.push_back(name);
      continue;
    }
    const std::string renamed = options.rename ? options.rename(stripped) : stripped;
    const auto target = targets.find(renamed);
    if (target == targets.end()) {
      report.unused.push_back(name);
      continue;
    }
    const auto [other, fresh] = sources.emplace(renamed, name);
    require(fresh, source.where, ": \"", name, "\" and \"", other->second, "\" are both ", renamed);
    require(target->second.sizes() == at::IntArrayRef(entry.shape), source.where, ": \"", name, "\" has shape ",
            at::IntArrayRef(entry.shape), ", ", renamed, " is ", target->second.sizes());
    const auto type = entry.type;
    require(type == target->second.scalar_type() || (at::isFloatingType(type) && target->second.is_floating_point()),
            source.where, ": \"", name, "\" has type ", type, ", ", renamed, " is ", target->second.scalar_type());
  }
  for (const auto& [name, tensor] : targets)
    if (!sources.contains(name) && !optional(name)) report.missing.push_back(name);

  if (options.strict && !(report.missing.empty() && report.unused.empty()))
    fail(source.where, ": the names do not fit: missing ", detail::first_names(report.missing), ", unused ",
         detail::first_names(report.unused));

  torch::NoGradGuard no_grad;
  for (const auto& [renamed, name] : sources) {
    nn::assign(targets.at(renamed), source.entries.at(name).read());
    report.loaded.push_back(renamed);
  }
  return report;
}

/// The same for source_of(@p path).
inline LoadReport load_weights(torch::nn::Module& module, const std::filesystem::path& path,
                               const LoadOptions& options = {}) {
  return load_weights(module, source_of(path), options);
}

}  // namespace rc3::io
