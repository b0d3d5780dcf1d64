// pretrain.cpp with more to look with: `./run demo --long`. Another variant is another type, and so another program.

#include "pretrain/backbone/three.hpp"
#include "pretrain/program.hpp"

int main(int argc, char** argv) {
  pretrain::Settings settings;
  settings.tune_steps = 200;
  settings.more_languages = true;
  return pretrain::main_of(argc, argv, settings);
}
