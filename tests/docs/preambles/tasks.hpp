#pragma once
/// A model, examples and a validation, for snippets about downstream tasks. Declared only: snippets are not linked.

#include <functional>
#include <iostream>
#include <memory>

#include <rc3/data/examples.hpp>
#include <rc3/rc3.hpp>
#include <rc3/task/task.hpp>
#include <rc3/text/tokenizer.hpp>

namespace preamble::tasks {
using namespace rc3;

using Host = Model<visual::Roi, text::Bert>;
extern const std::shared_ptr<Host> model;
extern const text::Tokenizer tokenizer;
extern const data::Examples english, german;
extern const std::function<double()> validation_accuracy;
extern data::DataErrors errors;
}  // namespace preamble::tasks
