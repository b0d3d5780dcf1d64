#pragma once
/// The demo's variant: `scenes-tasks` fine-tunes the demo's model on five downstream tasks.

#include "../demo/variant.hpp"

#include "emoji/format.hpp"          // so that --data.format emoji is known,
#include "emoji/tasks/provider.hpp"  // and --task.provider emoji

using Experiment = demo::Variant<demo::OneNetwork>;
