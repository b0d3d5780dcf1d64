#pragma once
/// Frozen features: computed once, cached, calibrated and drawn in batches.

#include "rc3/features/cached_pairs.hpp"
#include "rc3/features/cached_samples.hpp"
#include "rc3/features/calibrate.hpp"
#include "rc3/features/feature_cache.hpp"
#include "rc3/features/feature_store.hpp"
#include "rc3/features/identity.hpp"
