#pragma once
/// Downstream tasks on emoji scenes; see docs/guides/tasks-data.md.

#include "emoji/tasks/entailment.hpp"
#include "emoji/tasks/pool.hpp"
#include "emoji/tasks/questions.hpp"
#include "emoji/tasks/reasoning.hpp"
#include "emoji/tasks/retrieval.hpp"
#include "emoji/tasks/scene_task.hpp"
#include "emoji/tasks/translation.hpp"
