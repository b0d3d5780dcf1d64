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
  std::vector<double> objectives = {1, 1};  ///< weights of R-XVtCL and ITM in the second stage
  Omega regularizer = Omega::none;
  Rho relevance = Rho::encoder;
  bool shuffled = false;
  Candidates negatives = Candidates::in_batch;
  double c0 = 0.2, lambda = 5;
  double hidden_images = 0;  ///< of R-XVtCL
  bool hypothesis = false;   ///< whether a head that sees one grey image is tuned as well

  /// Texts of the first stage, which all arms of one kind share.
  std::string texts() const { return strict_share == 1 ? "strict" : "strict+weak"; }
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
