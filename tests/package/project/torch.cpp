#include <ATen/ops/ones.h>

#include "rc3/core/check.hpp"

int main() {
  rc3::check_shape("program", "ones", at::ones({2, 3}), {{'B'}, {'D', 3}});
  return 0;
}
