#pragma once
/// The data sets of IGLUE, from its own files.

#include "rc3/data/iglue/captions.hpp"
#include "rc3/data/iglue/examples.hpp"
#include "rc3/data/iglue/jsonl.hpp"
#include "rc3/data/iglue/marvl.hpp"
#include "rc3/data/iglue/nlvr2.hpp"
#include "rc3/data/iglue/wit.hpp"
#include "rc3/data/iglue/xflickrco.hpp"
#include "rc3/data/iglue/xgqa.hpp"
#include "rc3/data/iglue/xvnli.hpp"
