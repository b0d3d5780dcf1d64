#pragma once
/// Work on rows by LibTorch's threads.

#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>

#include <cstdint>

namespace rc3::nn {

/// Calls @p work for parts of 0 .. @p rows - 1, on as many threads as at::get_num_threads() says. at::parallel_for has
/// one thread in code that is compiled without OpenMP; the loop of an element-wise operator is LibTorch's own.
/// @param grain  rows of a part, at least, > 0
/// @param work   called as work(begin, end), by several threads at once
template <class Work>
void parallel_rows(std::int64_t rows, std::int64_t grain, const Work& work) {
  if (rows == 0) return;
  const auto places = at::empty({rows}, at::kByte);  // a byte a row: its address is the row's number
  const char* first = static_cast<const char*>(places.const_data_ptr());
  auto iterator = at::TensorIteratorConfig().add_output(places).add_input(places).build();
  iterator.for_each(
      [&](char** data, const std::int64_t* strides, std::int64_t count) {
        for (std::int64_t i = 0; strides[0] != 1 && i < count; ++i)
          work(data[0] + i * strides[0] - first, data[0] + i * strides[0] - first + 1);
        if (strides[0] == 1) work(data[0] - first, data[0] - first + count);
      },
      grain);
}

}  // namespace rc3::nn
