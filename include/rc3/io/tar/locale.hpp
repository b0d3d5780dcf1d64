#pragma once
/// UTF-8 locale for libarchive, which converts names by the thread's locale. In the "C" locale it would lose every name
/// that is not ASCII.

#include <locale.h>

#include "rc3/core/error.hpp"

namespace rc3::io::tar::detail {

/// UTF-8 names in this thread during its lifetime, for any locale of the program.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    require(locale_ != nullptr, "io::tar: this system has no locale C.UTF-8");
    before_ = ::uselocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    ::uselocale(before_);
    ::freelocale(locale_);
  }

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

}  // namespace rc3::io::tar::detail
