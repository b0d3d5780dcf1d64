#pragma once
/// Textual relevance of two captions of one image.

#include "rc3/relevance/by_alignment.hpp"
#include "rc3/relevance/concept.hpp"
#include "rc3/relevance/constant.hpp"
#include "rc3/relevance/encoder.hpp"
#include "rc3/relevance/provided.hpp"
