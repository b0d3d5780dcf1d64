// expect: regularizer::Sum<Parts...>: each part needs penalty\(const regularizer::Pairs&\) const
#include "rc3/regularizer/ceiling.hpp"
#include "rc3/regularizer/sum.hpp"

struct Mine {};

rc3::regularizer::Sum<rc3::regularizer::Ceiling, Mine>* sum = nullptr;
auto size = sizeof(*sum);
