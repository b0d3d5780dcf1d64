#pragma once
/// The program that a variant is trained by; see docs/guides/experiments.md. Needs CLI11.

#include <ATen/Parallel.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "rc3/core/nn/state.hpp"
#include "rc3/data/loader/collate.hpp"
#include "rc3/data/loader/lengths.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/data/loader/prepare.hpp"
#include "rc3/experiment/recall.hpp"
#include "rc3/experiment/settings.hpp"
#include "rc3/io/image/available_decoders.hpp"
#include "rc3/preprocess/augment.hpp"
#include "rc3/train/config/arguments.hpp"
#include "rc3/train/device.hpp"
#include "rc3/train/run.hpp"
#ifdef RC3_HAS_GLOO
#include "rc3/train/c10d.hpp"
#endif

namespace rc3::experiment {

/// What a header of an experiment defines. `Config` is the variant's own configuration, with a list of its fields;
/// `make(config)` puts the variant together; `tokenizer(config)` reads its texts; `prepare(config)` says how its
/// images come to their size.
template <class E>
concept Definition = requires(const typename E::Config& config) {
  requires train::Configuration<typename E::Config>;
  requires std::is_same_v<decltype(E::make(config)), std::shared_ptr<typename E::Trained>>;
  requires std::is_same_v<decltype(E::tokenizer(config)), text::Tokenizer>;
  requires std::is_same_v<decltype(E::prepare(config)), data::PrepareOptions>;
};

namespace detail {

/// Recall by language as a table. A run of days does not end without its report because the held-out data are damaged:
/// what is wrong is said.
template <class Model>
std::vector<train::report::Table> recall_tables(Model& model, const data::AnyDataset& data,
                                                const text::Tokenizer& tokenizer, data::PrepareOptions prepare,
                                                data::DataErrors& errors, const RecallOptions& options) {
  try {
    const auto encode = [&](const std::string& text) { return tokenizer.encode(text); };
    auto table = recall_table(recall_by_language<io::AvailableDecoders>(
        model, data, encode, {std::move(prepare.image), std::nullopt, prepare.limits}, errors, options));
    std::cout << text_of(table) << std::flush;
    return {std::move(table)};
  } catch (const Error& error) {
    std::cout << "validation: " << error.what() << std::endl;
    return {};
  }
}

template <class E, Communicator Comm>
train::StopReason run(const Settings<typename E::Config>& settings, const train::Provenance& sources,
                      const at::Device& device, std::shared_ptr<Comm> comm) {
  const bool first = comm->rank() == 0;
  data::DataErrors errors({.fraction = settings.loader.errors});
  const data::AnyDataset source = data::open(settings.data, errors);
  data::DataErrors held_out_problems({.fraction = settings.loader.errors});
  std::optional<data::AnyDataset>
      held_out;  // opened at the start, so that a wrong name is said then; by the rank that uses it
  if (first && !settings.validation.paths.empty()) held_out = data::open(settings.validation, held_out_problems);
  const auto tokenizer = E::tokenizer(settings.variant);
  const auto trained = E::make(settings.variant);
  if (!settings.init.empty()) train::load_checkpoint(settings.init, *trained, E::Trained::name());
  trained->to(device);
  if (first) {
    const auto count = nn::count_parameters(*trained);
    std::cout << E::Trained::name() << '\n'
              << "parameters  " << count.total << ", of which " << count.trainable << " learn\n"
              << "data        " << source.name() << ", " << source.size() << " samples, " << source.languages().size()
              << " languages\n"
              << "device      " << device.str() << '\n'
              << train::described(settings, sources) << std::flush;
  }
  train::Trainer<typename E::Trained, Comm> trainer(trained, settings.train, comm);
  train::Run<typename E::Trained, Comm> run(trainer, {.checkpoint = settings.checkpoint,
                                                      .log = settings.log,
                                                      .configuration = train::to_json(settings),
                                                      .sources = sources});
  const auto& l = settings.loader;
  if (held_out)
    run.tables([&] {
      return recall_tables(*trained->model(), *held_out, tokenizer, E::prepare(settings.variant), held_out_problems,
                           {.images = settings.validation.max_images, .workers = static_cast<int>(l.workers)});
    });
  data::LoaderOptions loading;
  loading.order = {.seed = l.seed, .window = l.window};
  loading.batch = {.size = l.batch, .tokens = l.tokens, .ranks = comm->size()};
  loading.workers = static_cast<int>(l.workers);
  loading.prefetch = static_cast<int>(l.prefetch);
  loading.rank = comm->rank();
  data::Loader loader(
      source, data::PrepareSample<io::AvailableDecoders>(tokenizer, source.languages(), E::prepare(settings.variant)),
      data::CollateSamples(), errors, loading, l.tokens > 0 ? data::measure_lengths(source, tokenizer) : nullptr,
      run.loader_state());
  const auto ending = run.train(loader);
  if (first) std::cout << errors.report();
  if (held_out_problems.count() > 0) std::cout << "validation: " << held_out_problems.report();
  return ending;
}

}  // namespace detail

/// main() of an experiment: 0 when all steps were made or a signal ended it, 1 with a sentence when something is wrong.
/// On several ranks (torchrun, mpirun) where RC3_HAS_GLOO is defined.
template <class E>
int main(int argc, char** argv) {
  static_assert(Definition<E>,
                "experiment: Config (with visit_fields), Trained, make(const Config&) -> std::shared_ptr<Trained>, "
                "tokenizer(const Config&) -> text::Tokenizer, prepare(const Config&) -> data::PrepareOptions "
                "[docs/guides/experiments.md]");
  CLI::App app{"Trains " + E::Trained::name()};
  Settings<typename E::Config> settings;
  train::Provenance sources;
  train::add_options(app, settings, &sources);
  try {
    CLI11_PARSE(app, argc, argv);
    if (settings.threads > 0) at::set_num_threads(static_cast<int>(settings.threads));
    at::manual_seed(settings.train.seed);
    const auto device = train::use_device(settings.device);
#ifdef RC3_HAS_GLOO
    if (std::getenv("WORLD_SIZE") != nullptr || std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr) {
      auto ranks = train::C10d::from_environment({.device = device, .backend = settings.backend});
      detail::run<E>(settings, sources, device, std::make_shared<train::C10d>(std::move(ranks)));
      return 0;
    }
#endif
    detail::run<E>(settings, sources, device, std::make_shared<Single>());
    return 0;
  } catch (const Error& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace rc3::experiment
