// expect: visual::Both<Roi, Patch>: Roi must be a visual policy
#include "rc3/visual/both.hpp"
#include "compile_fail/policies.hpp"

struct Blind {};
using Mixed = rc3::visual::Both<Blind, user::Visual>;
std::int64_t use(const Mixed& mixed) { return mixed.width(); }
