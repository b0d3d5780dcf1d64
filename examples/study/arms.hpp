#pragma once
/// Arms of the study: rows that differ in one thing, at equal steps, samples and parameters.

#include <cstdint>
#include <string>
#include <vector>

#include "choices.hpp"

namespace study {

/// A row of the comparison.
struct Arm {
  std::string name;
  double strict_share = 0.5;                ///< of pairs; 1: no weak text is read, in either stage
  bool fuse = true;                         ///< whether the fusion encoder is trained; else the heads alone
  std::vector<double> objectives = {1, 1};  ///< weights of R-XVtCL, ITM and, if there, MLM in the second stage
  Omega regularizer = Omega::none;
  Rho relevance = Rho::encoder;
  bool shuffled = false;
  Candidates negatives = Candidates::in_batch;
  double c0 = 0.2, lambda = 5;
  double hidden_images = 0;  ///< of R-XVtCL
  bool hypothesis = false;   ///< whether a head that sees one grey image is tuned as well
  Seen seen = Seen::patches;
  std::int64_t side = 4;                    ///< cells on a side of the cached map
  std::int64_t cells = 0;                   ///< patches on a side that are averaged from it; 0: all
  std::vector<std::string> languages = {};  ///< of the second stage; empty: all
  bool switched = false;                    ///< whether its texts are code-switched
  bool shared_heads = false;                ///< whether the heads are of strict and weak texts whatever strict_share is
  std::int64_t rerank_texts = 100;          ///< of each language
  bool inner_stages = false;                ///< whether the heads read earlier layers of the image network too

  /// Texts of the first stage, which all arms of one kind share.
  std::string texts() const { return strict_share == 1 && !shared_heads ? "strict" : "strict+weak"; }
};

/// All arms. The first six are the main comparison.
inline const std::vector<Arm>& arms() {
  static const std::vector<Arm> all = {
      {.name = "heads, strict", .strict_share = 1, .fuse = false},
      {.name = "heads, strict+weak", .fuse = false},
      {.name = "strict, none", .strict_share = 1},
      {.name = "weak, none"},
      {.name = "weak, ceiling", .regularizer = Omega::ceiling},
      {.name = "weak, itm alone", .objectives = {0, 1}, .hypothesis = true},
      {.name = "strict, itm alone", .strict_share = 1, .objectives = {0, 1}},
      {.name = "weak, huber", .regularizer = Omega::huber},
      {.name = "weak, soft targets", .regularizer = Omega::soft_target, .lambda = 1},
      {.name = "weak, weighted", .regularizer = Omega::weighted},
      {.name = "weak, ceiling, constant relevance", .regularizer = Omega::ceiling, .relevance = Rho::constant},
      {.name = "weak, ceiling, shuffled relevance", .regularizer = Omega::ceiling, .shuffled = true},
      {.name = "strict, none, same image", .strict_share = 1, .negatives = Candidates::same_image},
      {.name = "weak, none, same image", .negatives = Candidates::same_image},
      {.name = "weak, ceiling, same image", .regularizer = Omega::ceiling, .negatives = Candidates::same_image},
      {.name = "weak 0.25, ceiling", .strict_share = 0.75, .regularizer = Omega::ceiling},
      {.name = "weak 0.75, ceiling", .strict_share = 0.25, .regularizer = Omega::ceiling},
      {.name = "strict, none, hidden images", .strict_share = 1, .hidden_images = 1},
      {.name = "weak, none, hidden images", .hidden_images = 1},
      {.name = "weak, ceiling, hidden images", .regularizer = Omega::ceiling, .hidden_images = 1},
      {.name = "weak, ceiling, shuffled relevance, hidden images",
       .regularizer = Omega::ceiling,
       .shuffled = true,
       .hidden_images = 1},
      {.name = "weak, soft targets, hidden images", .regularizer = Omega::soft_target, .lambda = 1, .hidden_images = 1},
      {.name = "weak, weighted, hidden images", .regularizer = Omega::weighted, .hidden_images = 1},
      {.name = "weak, huber, hidden images", .regularizer = Omega::huber, .hidden_images = 1},
      {.name = "weak, ceiling, c0 0", .regularizer = Omega::ceiling, .c0 = 0},
      {.name = "weak, ceiling, c0 0.4", .regularizer = Omega::ceiling, .c0 = 0.4},
      {.name = "weak, ceiling, lambda 1", .regularizer = Omega::ceiling, .lambda = 1},
      // What the fusion encoder sees: 25 tokens of a map of 7 x 7 beside the whole image, in each of three.
      {.name = "5 x 5 patches",
       .regularizer = Omega::ceiling,
       .hidden_images = 1,
       .side = 7,
       .cells = 5,
       .rerank_texts = 300},
      {.name = "regions",
       .regularizer = Omega::ceiling,
       .hidden_images = 1,
       .seen = Seen::regions,
       .side = 7,
       .cells = 4,
       .rerank_texts = 300},
      {.name = "regions and patches",
       .regularizer = Omega::ceiling,
       .hidden_images = 1,
       .seen = Seen::both,
       .side = 7,
       .cells = 4,
       .rerank_texts = 300},
      // Contrast models; that like CCLM is "weak, none".
      {.name = "UC2-like", .strict_share = 1, .objectives = {0, 1, 1}, .shared_heads = true},
      {.name = "M3P-like", .objectives = {0, 1, 1}, .switched = true},
      // Transfer: the fusion encoder sees English and German texts alone.
      {.name = "en+de, ceiling, hidden images",
       .regularizer = Omega::ceiling,
       .hidden_images = 1,
       .languages = {"en", "de"},
       .rerank_texts = 300},
      {.name = "en+de, itm alone", .objectives = {0, 1}, .languages = {"en", "de"}, .rerank_texts = 300},
      {.name = "en+de, UC2-like",
       .strict_share = 1,
       .objectives = {0, 1, 1},
       .languages = {"en", "de"},
       .shared_heads = true,
       .rerank_texts = 300},
      {.name = "en+de, M3P-like",
       .objectives = {0, 1, 1},
       .languages = {"en", "de"},
       .switched = true,
       .rerank_texts = 300},
      {.name = "en+de, CCLM-like", .languages = {"en", "de"}, .rerank_texts = 300},
      // What else the two frozen networks hold.
      {.name = "heads, strict+weak, inner stages", .fuse = false, .inner_stages = true},
  };
  return all;
}

/// @throws rc3::Error for an unknown name, listing the known ones
inline const Arm& arm(const std::string& name) {
  std::string known;
  for (const Arm& a : arms()) {
    if (a.name == name) return a;
    known += "\n  " + a.name;
  }
  rc3::fail("there is no arm \"", name, "\"; the arms are:", known);
}

}  // namespace study
