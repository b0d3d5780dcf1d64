#pragma once
/// A pretrainer, its options and its data, for snippets about training. Declared only: snippets are not linked.

#include <rc3/data/format/manifest.hpp>
#include <rc3/data/loader/collate.hpp>
#include <rc3/data/loader/loader.hpp>
#include <rc3/data/loader/prepare.hpp>
#include <rc3/rc3.hpp>
#include <rc3/train/c10d.hpp>

namespace preamble::training {
using namespace rc3;

using Host = Model<visual::Roi, text::Bert>;
using Trained = Pretrainer<Host, objective::RXvtcl<>, objective::Itc>;
extern const std::shared_ptr<Trained> pretrainer;
extern const train::Options options;
extern train::Trainer<Trained> trainer;
extern const data::Manifest dataset;
extern const text::Tokenizer tokenizer;
extern const data::PrepareSample<> prepare;
extern const data::CollateSamples collate;
extern data::DataErrors errors;
}  // namespace preamble::training
