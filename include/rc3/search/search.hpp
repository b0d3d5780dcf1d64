#pragma once
/// Search among vectors, and the files of a folder that are indexed. Needs Eigen (Debian: libeigen3-dev): link
/// rc3::eigen beside rc3::light.

#include "rc3/search/file_state.hpp"
#include "rc3/search/folder.hpp"
#include "rc3/search/index.hpp"
#include "rc3/search/index_file.hpp"
#include "rc3/search/rerank.hpp"
#include "rc3/search/storage.hpp"
#include "rc3/search/top_k.hpp"
