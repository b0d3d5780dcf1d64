// expect: Pretrainer<Model, Objectives\.\.\.>: give at least one objective .docs/concepts/objective\.md
// light
#include "policies.hpp"

template class rc3::Pretrainer<user::Model>;
