#pragma once
// What rc3_bench runs beside Google's benchmarks, each with the arguments after its name: benchmarks/compare.py and
// scaling.py start them.

namespace bench {

int run_embedding(int count, char** arguments);
int run_growth(int count, char** arguments);
int run_model(int count, char** arguments);
int run_scaling(int count, char** arguments);
int run_start(int count, char** arguments);

}  // namespace bench
