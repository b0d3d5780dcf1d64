// expect: io::Decoders: name at least one decoder
// light
#include "rc3/io/image/decoders.hpp"

rc3::io::Decoders<> decoders;
