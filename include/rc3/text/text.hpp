#pragma once
/// All of rc3/text: concept, tokenizer and encoders.

#include "rc3/text/bert.hpp"
#include "rc3/text/clip_text.hpp"
#include "rc3/text/clip_tokenizer.hpp"
#include "rc3/text/clip_xlm_roberta.hpp"
#include "rc3/text/concept.hpp"
#include "rc3/text/encode_all.hpp"
#include "rc3/text/encoding.hpp"
#include "rc3/text/mlm_head.hpp"
#include "rc3/text/siglip_text.hpp"
#include "rc3/text/siglip_tokenizer.hpp"
#include "rc3/text/tokenize.hpp"
#include "rc3/text/tokenizer.hpp"
#include "rc3/text/transformer_encoder.hpp"
#include "rc3/text/truncation.hpp"
#include "rc3/text/xlm_roberta.hpp"
#include "rc3/text/xlm_roberta_for_masked_lm.hpp"
