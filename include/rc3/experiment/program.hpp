#pragma once
/// Training program of a variant, see docs/guides/experiments.md. Needs CLI11.

#include <ATen/Parallel.h>

#include <iostream>
#include <memory>
#include <string>

#include "rc3/config/arguments.hpp"
#include "rc3/core/reuse_memory.hpp"
#include "rc3/experiment/pretraining.hpp"
#include "rc3/train/launcher.hpp"
#ifdef RC3_HAS_GLOO
#include "rc3/train/c10d.hpp"
#endif

namespace rc3::experiment {

namespace detail {

#ifdef RC3_HAS_GLOO
using Comm = train::C10d;
#else
using Comm = Single;
#endif

/// The ranks that torchrun, mpirun or srun started; one rank otherwise. One type for both, since a training takes a
/// minute to compile.
inline std::shared_ptr<Comm> communicator([[maybe_unused]] const at::Device& device,
                                          [[maybe_unused]] const std::string& backend) {
  const auto ranks = train::launched();
  if (!ranks) return std::make_shared<Comm>();
#ifdef RC3_HAS_GLOO
  return std::make_shared<Comm>(Comm::from_environment({.device = device, .backend = backend}));
#else
  require(ranks->size == 1, ranks->by, " started ", ranks->size,
          " processes, but this program was built without Gloo (Debian: libgloo-dev) and runs on one rank");
  return std::make_shared<Comm>();
#endif
}

}  // namespace detail

/// No further action at the end of a training.
struct NoReport {
  template <class Pretraining>
  void operator()(Pretraining&) const {}
};

/// main() of an experiment. Returns 0 after all steps or a signal, 1 with an error message otherwise. Supports several
/// ranks (torchrun, mpirun, srun) if RC3_HAS_GLOO is defined.
/// @param report  called on rank 0 with the Pretraining after all steps
template <class E, class Report = NoReport>
int main(int argc, char** argv, const Report& report = {}) {
  static_assert(Definition<E>,
                "experiment: Config (with visit_fields), Trained, make(const Config&) -> std::shared_ptr<Trained>, "
                "tokenizer(const Config&) -> text::Tokenizer, prepare(const Config&) -> data::PrepareOptions "
                "[docs/guides/experiments.md]");
  reuse_memory();
  CLI::App app{"Trains " + E::Trained::name()};
  Settings<E> settings;
  config::Provenance provenance;
  config::add_options(app, settings, &provenance);
  try {
    CLI11_PARSE(app, argc, argv);
    settings.spread_seed();
    if (settings.threads > 0) at::set_num_threads(static_cast<int>(settings.threads));
    at::manual_seed(settings.stages[0].train.seed);
    const auto device = train::use_device(settings.device);
    const auto comm = detail::communicator(device, settings.backend);
    Pretraining<E, detail::Comm> pretraining(settings, provenance, device, comm);
    if (pretraining.run() != train::StopReason::stopped && comm->rank() == 0) report(pretraining);
    return 0;
  } catch (const Error& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace rc3::experiment
