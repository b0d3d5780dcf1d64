#pragma once
/// Downstream tasks: heads on a pre-trained model, their data and their evaluation.

#include "rc3/task/ablation.hpp"
#include "rc3/task/batch.hpp"
#include "rc3/task/cached_examples.hpp"
#include "rc3/task/caption_search.hpp"
#include "rc3/task/classifier.hpp"
#include "rc3/task/collate.hpp"
#include "rc3/task/evaluate.hpp"
#include "rc3/task/late_interaction.hpp"
#include "rc3/task/matcher.hpp"
#include "rc3/task/predict.hpp"
#include "rc3/task/prepare.hpp"
#include "rc3/task/results.hpp"
#include "rc3/task/retrieval.hpp"
#include "rc3/task/search.hpp"
#include "rc3/task/translator.hpp"
#include "rc3/task/vocabulary.hpp"
