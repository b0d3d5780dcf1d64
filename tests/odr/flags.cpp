// LibTorch and sentencepiece export variables of one name. Linked in the wrong order, sentencepiece writes over
// LibTorch's flags before main() begins: an allocation that fails then aborts the program. Not <c10/...>: this file
// compiles in no time.
#include <cstdio>
#include <exception>

namespace c10 {
void* alloc_cpu(unsigned long bytes);
}

int main() {
  try {
    c10::alloc_cpu(1ul << 46);
  } catch (const std::exception&) {
    return 0;
  }
  std::puts("64 TB were allocated");
  return 1;
}
