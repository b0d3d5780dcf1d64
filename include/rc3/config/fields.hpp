#pragma once
/// Lists of options: their names in files and on command lines, bounds and descriptions.

#include <string>
#include <utility>

#include "rc3/config/bounds.hpp"

namespace rc3::config {

/// Names of an enumeration's values, in the order of their numbers from 0: a specialization has `all`, an array.
template <class E>
struct Names;

namespace detail {
struct NoVisitor {
  template <class... A>
  void operator()(const A&...) {}
};
}  // namespace detail

/// A struct with a list of fields: a free function `visit_fields(T&, V&&)`, found by argument-dependent lookup.
template <class T>
concept Configuration = requires(T& t) {
  visit_fields(t, detail::NoVisitor{});
};

/// Calls `visit(path, value, doc, bounds)` for each option of @p c, including nested ones: "optimizer.learning_rate".
template <Configuration C, class Visit>
void for_each_field(C& c, Visit&& visit, const std::string& prefix = "") {
  visit_fields(c, [&]<class T>(const char* name, T& value, const char* doc, Bounds bounds = {}) {
    if constexpr (Configuration<T>)
      for_each_field(value, visit, prefix + name + '.');
    else
      visit(prefix + name, value, doc, bounds);
  });
}

}  // namespace rc3::config
