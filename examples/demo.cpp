// Trains an RC³ variant on images and names of emoji, and searches images in languages that it never read.
// `./run demo` prepares the data and runs it; `demo --help` lists the options.

#include "demo/program.hpp"
#include "demo/variant.hpp"

int main(int argc, char** argv) { return demo::main<demo::Variant<demo::OneNetwork>>(argc, argv); }
