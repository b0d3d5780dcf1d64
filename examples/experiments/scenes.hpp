#pragma once
/// The demo's variant: `scenes-tasks` fine-tunes the demo's model on five downstream tasks.

#include "../demo/variant.hpp"

using Experiment = demo::Variant<demo::OneNetwork>;
