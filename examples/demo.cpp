// Trains an RC³ variant on images and texts of emoji, and searches images in languages that it never saw.
// `./run demo` prepares what it needs and runs it; `pretrain --help` says what can be set.

#include "pretrain/backbone/lite0.hpp"
#include "pretrain/program.hpp"

int main(int argc, char** argv) { return pretrain::main_of(argc, argv, {}); }
