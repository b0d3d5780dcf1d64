// expect: io::Decoders: each must have static formats, recognises\(bytes\)
// light
#include "rc3/io/image/decoders.hpp"

struct Nothing {};
rc3::io::Decoders<Nothing> decoders;
