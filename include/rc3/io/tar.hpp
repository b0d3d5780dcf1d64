#pragma once
/// Tar files: where their members are, and writing them.

#include "rc3/io/tar/table.hpp"
#include "rc3/io/tar/writer.hpp"
