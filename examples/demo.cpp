// Trains an RC³ variant on images and names of emoji, and searches images in languages that it never read.
// `./run demo` prepares the data and runs it; `demo --help` lists the options. `demo --long`, before other options, is
// the long form.

#include <string_view>

#include "demo/program.hpp"
#include "demo/variant.hpp"

int main(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != "--long") return demo::main<demo::Variant<demo::OneNetwork>>(argc, argv);
  argv[1] = argv[0];  // a variant is a type: the option chooses one
  return demo::main<demo::Long>(argc - 1, argv + 1);
}
