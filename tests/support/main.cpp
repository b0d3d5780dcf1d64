// Boost.Test with its main(), compiled once and linked into every test executable.
#define BOOST_TEST_MODULE rc3
#include <boost/test/included/unit_test.hpp>
