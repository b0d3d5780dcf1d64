// expect: visual::Both<Roi, Patch>: Patch must be a visual policy
#include "rc3/visual/both.hpp"
#include "compile_fail/policies.hpp"

struct Blind {};
using Mixed = rc3::visual::Both<user::Visual, Blind>;
std::int64_t use(const Mixed& mixed) { return mixed.width(); }
