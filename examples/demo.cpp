// Trains an RC³ variant on images and names of emoji, and searches images in languages that it never read.
// `./run demo` prepares the data and runs it; `demo --help` lists the options. `demo --long` comes first on the command
// line: three image networks and a tuned text encoder.

#include <string_view>

#include "demo/program.hpp"
#include "demo/variant.hpp"

namespace {

struct Long : demo::Variant<demo::ThreeNetworks> {
  static void configure(rc3::experiment::Settings<Long>& settings) {
    demo::defaults(settings);
    settings.stages[1].train.schedule.total = 200;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != "--long") return demo::main<demo::Variant<demo::OneNetwork>>(argc, argv);
  argv[1] = argv[0];  // a variant is a type: the option chooses the program
  return demo::main<Long>(argc - 1, argv + 1);
}
