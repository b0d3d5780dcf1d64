// All benchmarks of rc3 in one program, since each would compile the same parts of the library again.
//   rc3_bench embedding|growth|model|scaling|start ARGUMENTS...     see the file of that name
//   rc3_bench --benchmark_filter=REGEX ...                   Google's benchmarks, of the other files

#include <benchmark/benchmark.h>

#include <map>
#include <string>

#include "programs.hpp"

int main(int count, char** arguments) {
  const std::map<std::string, int (*)(int, char**)> programs{
      {"embedding", bench::run_embedding}, {"growth", bench::run_growth}, {"model", bench::run_model},
#ifdef RC3_BENCH_SCALING
      {"scaling", bench::run_scaling},
#endif
      {"start", bench::run_start},
  };
  if (const auto program = programs.find(count > 1 ? arguments[1] : ""); program != programs.end())
    return program->second(count - 1, arguments + 1);
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
