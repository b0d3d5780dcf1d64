#pragma once
/// Metrics of answers, translations and captions. LibTorch-free.

#include "rc3/metric/accuracy.hpp"
#include "rc3/metric/bleu.hpp"
#include "rc3/metric/bleu_options.hpp"
#include "rc3/metric/bootstrap.hpp"
#include "rc3/metric/chrf.hpp"
#include "rc3/metric/ngrams.hpp"
#include "rc3/metric/references.hpp"
#include "rc3/metric/smoothing.hpp"
#include "rc3/metric/tokenize/tokenizer.hpp"
