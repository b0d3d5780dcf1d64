#pragma once
/// Training program of a variant, see docs/guides/experiments.md. Needs CLI11.

#include <ATen/Parallel.h>

#include <cstdlib>
#include <iostream>
#include <memory>

#include "rc3/config/arguments.hpp"
#include "rc3/experiment/pretraining.hpp"
#ifdef RC3_HAS_GLOO
#include "rc3/train/c10d.hpp"
#endif

namespace rc3::experiment {

/// No further action at the end of a training.
struct NoReport {
  template <class Pretraining>
  void operator()(Pretraining&) const {}
};

/// main() of an experiment. Returns 0 after all steps or a signal, 1 with an error message otherwise. Supports several
/// ranks (torchrun, mpirun) if RC3_HAS_GLOO is defined.
/// @param report  called on rank 0 with the Pretraining after all steps
template <class E, class Report = NoReport>
int main(int argc, char** argv, const Report& report = {}) {
  static_assert(Definition<E>,
                "experiment: Config (with visit_fields), Trained, make(const Config&) -> std::shared_ptr<Trained>, "
                "tokenizer(const Config&) -> text::Tokenizer, prepare(const Config&) -> data::PrepareOptions "
                "[docs/guides/experiments.md]");
  CLI::App app{"Trains " + E::Trained::name()};
  Settings<E> settings;
  config::Provenance provenance;
  config::add_options(app, settings, &provenance);
  const auto run = [&]<class Comm>(const at::Device& device, std::shared_ptr<Comm> comm) {
    const bool first = comm->rank() == 0;
    Pretraining<E, Comm> pretraining(settings, provenance, device, std::move(comm));
    if (pretraining.run() != train::StopReason::stopped && first) report(pretraining);
  };
  try {
    CLI11_PARSE(app, argc, argv);
    settings.spread_seed();
    if (settings.threads > 0) at::set_num_threads(static_cast<int>(settings.threads));
    at::manual_seed(settings.stages[0].train.seed);
    const auto device = train::use_device(settings.device);
#ifdef RC3_HAS_GLOO
    if (std::getenv("WORLD_SIZE") != nullptr || std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr) {
      run(device, std::make_shared<train::C10d>(
                      train::C10d::from_environment({.device = device, .backend = settings.backend})));
      return 0;
    }
#endif
    run(device, std::make_shared<Single>());
    return 0;
  } catch (const Error& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace rc3::experiment
