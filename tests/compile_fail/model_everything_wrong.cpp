// expect: visual policy: encode\(const Images&\) must return rc3::Tokens
// light
#include "policies.hpp"

// Nothing is right, and still there is one error: the first.
struct Nothing {};
template class rc3::Model<Nothing, Nothing, Nothing>;
