#pragma once
/// Data sets of IGLUE, from its own files.

#include "rc3/data/format/iglue/captions.hpp"
#include "rc3/data/format/iglue/examples.hpp"
#include "rc3/data/format/iglue/jsonl.hpp"
#include "rc3/data/format/iglue/marvl.hpp"
#include "rc3/data/format/iglue/nlvr2.hpp"
#include "rc3/data/format/iglue/wit.hpp"
#include "rc3/data/format/iglue/xflickrco.hpp"
#include "rc3/data/format/iglue/xgqa.hpp"
#include "rc3/data/format/iglue/xvnli.hpp"
