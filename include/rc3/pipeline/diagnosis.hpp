#pragma once
/// Compile-time errors for policies that a model directory cannot describe. LibTorch-free.

#include <memory>
#include <tuple>
#include <type_traits>

#include "rc3/config/fields.hpp"

namespace rc3::pipeline {

/// Has options(): a struct with a list of fields.
template <class P>
concept HasOptions = requires(const P& p) {
  p.options();
};

/// Has parts(): a tuple of the policies that it contains.
template <class P>
concept HasParts = requires(const P& p) {
  p.parts();
};

/// Options of a policy.
template <HasOptions P>
using OptionsOf = std::remove_cvref_t<decltype(std::declval<const P&>().options())>;

/// Parts of a policy, a std::tuple of std::shared_ptrs.
template <HasParts P>
using PartsOf = std::remove_cvref_t<decltype(std::declval<const P&>().parts())>;

namespace detail {

template <class T>
inline constexpr bool is_parts = false;
template <class... Parts>
inline constexpr bool is_parts<std::tuple<std::shared_ptr<Parts>...>> = true;

template <class P>
concept ListsOptions =
    !HasOptions<P> || (config::Configuration<OptionsOf<P>> && std::is_default_constructible_v<OptionsOf<P>>);
template <class P>
concept ListsParts = !HasParts<P> || is_parts<PartsOf<P>>;

template <class P, class Parts>
struct Built;
template <class P, class... Parts>
struct Built<P, std::tuple<Parts...>> {
  template <class... Options>
  static constexpr bool from = std::is_constructible_v<P, Parts..., Options...>;
};

/// Whether @p P can be constructed from its parts and its options.
template <class P>
constexpr bool is_built() {
  if constexpr (HasParts<P> && HasOptions<P>)
    return Built<P, PartsOf<P>>::template from<OptionsOf<P>>;
  else if constexpr (HasParts<P>)
    return Built<P, PartsOf<P>>::template from<>;
  else
    return std::is_constructible_v<P, OptionsOf<P>>;
}

template <class P>
constexpr bool is_described() {
  if constexpr ((HasOptions<P> || HasParts<P>)&&ListsOptions<P> && ListsParts<P>)
    return is_built<P>();
  else
    return false;
}

template <class P>
constexpr bool is_describable();
template <class Tuple>
struct AllDescribable;
template <class... Parts>
struct AllDescribable<std::tuple<std::shared_ptr<Parts>...>> {
  static constexpr bool value = (is_describable<Parts>() && ...);
};
template <class P>
constexpr bool is_describable() {
  if constexpr (!is_described<P>())
    return false;
  else if constexpr (HasParts<P>)
    return AllDescribable<PartsOf<P>>::value;
  else
    return true;
}

}  // namespace detail

/// A policy that a model directory can describe, with all its parts: see docs/concepts/model-directory.md.
template <class P>
concept Describable = detail::is_describable<P>();

/// Diagnosis of one policy, without its parts, in order, so that one error is printed. Always true.
template <class P>
struct Diagnosis {
  static constexpr bool any = HasOptions<P> || HasParts<P>;
  static constexpr bool options = !any || detail::ListsOptions<P>;
  static constexpr bool parts = !any || !options || detail::ListsParts<P>;
  static constexpr bool built = !any || !options || !parts || detail::is_described<P>();
  static_assert(any,
                "model directory: a policy needs options() const, which returns its options struct, or parts() const, "
                "which returns a std::tuple of its std::shared_ptrs [docs/concepts/model-directory.md]");
  static_assert(options,
                "model directory: the struct of options() needs a default constructor and a function "
                "visit_fields(Options&, Visitor&&) that lists its fields [docs/concepts/model-directory.md]");
  static_assert(parts,
                "model directory: parts() const must return a std::tuple of std::shared_ptrs "
                "[docs/concepts/model-directory.md]");
  static_assert(built,
                "model directory: a policy needs a constructor from (parts..., options), in the order of parts() "
                "[docs/concepts/model-directory.md]");
  static constexpr bool said = true;
};

}  // namespace rc3::pipeline
