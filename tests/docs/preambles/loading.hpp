#pragma once
/// A tokenizer and a trainer, for snippets about data. Declared only: snippets are not linked.

#include "preambles/training.hpp"

namespace preamble::loading {
using preamble::training::tokenizer;
using preamble::training::trainer;
}  // namespace preamble::loading
