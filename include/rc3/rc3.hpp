#pragma once
/// All of rc3 but the data sets: `#include <rc3/rc3.hpp>`.

#include "rc3/fusion/fusion.hpp"
#include "rc3/fwd.hpp"
#include "rc3/metric/metric.hpp"
#include "rc3/model/default_model.hpp"
#include "rc3/model/dual_encoder.hpp"
#include "rc3/model/gradient_cache.hpp"
#include "rc3/model/make_model.hpp"
#include "rc3/model/model.hpp"
#include "rc3/model/pretrain.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/pipeline/any_model.hpp"
#include "rc3/pipeline/architecture.hpp"
#include "rc3/pipeline/embedder.hpp"
#include "rc3/pipeline/load.hpp"
#include "rc3/pipeline/load_any.hpp"
#include "rc3/pipeline/pipeline.hpp"
#include "rc3/pipeline/save.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/relevance.hpp"
#include "rc3/task/task.hpp"
#include "rc3/text/text.hpp"
#include "rc3/train/train.hpp"
#include "rc3/version.hpp"
#include "rc3/visual/visual.hpp"

#if __has_include(<Eigen/Core>)  // rc3::eigen
#include "rc3/pipeline/image_index.hpp"
#include "rc3/pipeline/rows.hpp"
#ifdef RC3_EXTERN_DEFAULT_MODEL
#include "rc3/pipeline/extern_default_model.hpp"
#endif
#endif
