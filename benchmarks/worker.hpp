#pragma once
// A program that benchmarks/compare.py measures in turns with its peer: it loads everything, says so, and then does one
// piece of work for each line that it reads. Peers in Python do the same (benchmarks/peers/common.py).

#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

namespace bench {

/// Prints @p about, a JSON object, then for each line of the input {"seconds": ..., "value": ...}.
/// @param work  called as work(line); returns a number by which both sides are compared
template <class Work>
void serve(const std::string& about, const Work& work) {
  std::cout << about << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const auto begin = std::chrono::steady_clock::now();
    const double value = work(line);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    char answer[96];
    std::snprintf(answer, sizeof answer, "{\"seconds\": %.9f, \"value\": %.9g}", took.count(), value);
    std::cout << answer << std::endl;
  }
}

/// main() of such a program: an error is one line.
template <class Run>
int run(const char* name, const Run& work) {
  try {
    work();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace bench
