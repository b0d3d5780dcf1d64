// The demo with three image networks and a tuned text encoder: `./run demo --long`.

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

int main(int argc, char** argv) { return demo::main<Long>(argc, argv); }
