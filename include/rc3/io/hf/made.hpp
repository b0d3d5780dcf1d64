#pragma once
/// A module of a directory's sizes, which LibTorch may refuse.

#include <c10/util/Exception.h>

#include <new>
#include <string>

#include "rc3/core/error.hpp"

namespace rc3::io {

/// The module that @p make returns. All that builds a module from a directory goes through here.
/// @param where  in errors: the directory or its config.json
/// @throws rc3::Error naming @p where, if LibTorch refuses its sizes: they fit no memory, or not each other
template <class Make>
auto made(const std::string& where, Make make) {
  try {
    return make();
  } catch (const c10::Error& error) {
    fail(where, ": no model of this architecture can be made: ", error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    fail(where, ": no model of this architecture can be made: out of memory");
  }
}

}  // namespace rc3::io
