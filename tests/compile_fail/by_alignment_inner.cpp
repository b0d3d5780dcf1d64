// expect: relevance::ByAlignment<Inner>: score\(const Batch&\) of Inner must return torch::Tensor .B.
#include "rc3/relevance/by_alignment.hpp"

struct Mute {};
rc3::relevance::ByAlignment<Mute> policy{Mute{}};
