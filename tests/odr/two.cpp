#include "rc3/rc3.hpp"

int two() { return 2; }
