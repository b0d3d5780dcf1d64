#pragma once
/// Everything about training: the optimizer, the schedule, precision, progress, checkpoints.

#include "rc3/train/adamw.hpp"
#include "rc3/train/background.hpp"
#include "rc3/train/checkpoint.hpp"
#include "rc3/train/ema.hpp"
#include "rc3/train/events.hpp"
#include "rc3/train/freeze.hpp"
#include "rc3/train/gradient_sum.hpp"
#include "rc3/train/layer_rates.hpp"
#include "rc3/train/options.hpp"
#include "rc3/train/precision.hpp"
#include "rc3/train/progress.hpp"
#include "rc3/train/run.hpp"
#include "rc3/train/schedule.hpp"
#include "rc3/train/signals.hpp"
#include "rc3/train/trainer.hpp"
#include "rc3/train/watch.hpp"
