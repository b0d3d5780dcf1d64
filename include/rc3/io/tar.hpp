#pragma once
/// Tar files: offsets of their members, and writing.

#include "rc3/io/tar/table.hpp"
#include "rc3/io/tar/writer.hpp"
