#pragma once
/// Downstream tasks on emoji scenes; see docs/guides/tasks-data.md.

#include "rc3/data/emoji/tasks/entailment.hpp"
#include "rc3/data/emoji/tasks/pool.hpp"
#include "rc3/data/emoji/tasks/questions.hpp"
#include "rc3/data/emoji/tasks/reasoning.hpp"
#include "rc3/data/emoji/tasks/retrieval.hpp"
#include "rc3/data/emoji/tasks/scene_task.hpp"
#include "rc3/data/emoji/tasks/translation.hpp"
