#include "rc3/rc3.hpp"

int two();

int main() { return two() == 2 ? 0 : 1; }
