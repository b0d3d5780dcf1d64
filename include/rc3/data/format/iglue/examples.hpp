#pragma once
/// IGLUE's files as examples of tasks, with the classes in VOLTA's order. Retrieval is in captions.hpp. LibTorch-free.
///
/// The names of views are VOLTA's keys for features; WithRegions adds those. `group` numbers the images, or, for pairs
/// of images, the sentences. NLVR2's consistency is the share of sentences whose pairs are all answered correctly.

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/examples.hpp"
#include "rc3/data/format/find_image.hpp"
#include "rc3/data/format/iglue/marvl.hpp"
#include "rc3/data/format/iglue/nlvr2.hpp"
#include "rc3/data/format/iglue/xgqa.hpp"
#include "rc3/data/format/iglue/xvnli.hpp"
#include "rc3/io/json.hpp"

namespace rc3::data::iglue {

/// Classes of XVNLI, in VOLTA's order: label 0 is contradiction.
inline std::span<const std::string_view> entailment_classes() {
  static constexpr std::array<std::string_view, 3> all{"contradiction", "neutral", "entailment"};
  return all;
}

/// Classes of MaRVL and NLVR2, in VOLTA's order: label 1 is true.
inline std::span<const std::string_view> reasoning_classes() {
  static constexpr std::array<std::string_view, 2> all{"false", "true"};
  return all;
}

/// GQA's answers in VOLTA's order, from its file trainval_label2ans.json: a JSON list of texts.
/// @throws rc3::Error naming the file: not such a list, an empty one, or a repeated answer
inline std::vector<std::string> read_gqa_answers(const std::filesystem::path& path) {
  auto answers = io::as<std::vector<std::string>>(io::read_json(path), "answers", path.string());
  require(!answers.empty(), path.string(), ": has no answer");
  std::unordered_set<std::string_view> seen;
  for (const std::string& answer : answers)
    require(seen.insert(answer).second, path.string(), ": the answer \"", answer, "\" is there twice");
  return answers;
}

namespace detail {

/// Builder of the examples of one file; drops those with unknown images.
class ExampleMaker {
 public:
  ExampleMaker(std::filesystem::path path, FindImage find, DataErrors& errors)
      : path_(std::move(path)), find_(std::move(find)), problems_(errors) {}

  /// @param images  names for FindImage
  /// @param group   common key of examples that belong together
  void add(Example example, const std::vector<std::string>& images, const std::string& group) {
    try {
      for (const std::string& name : images) example.views.push_back({image(name, example.id), {}, stem(name)});
    } catch (const Error& error) {
      problems_.add("missing image", error.what());
      return;
    }
    example.group = groups_.emplace(group, static_cast<std::int64_t>(groups_.size())).first->second;
    examples_.push_back(std::move(example));
  }

  Examples take(std::string name) {
    require(!examples_.empty(), name, ": ", path_.string(), ": there is an image for no record\n", problems_.report());
    return Examples(std::move(name), std::move(examples_));
  }

 private:
  /// VOLTA's rule: the part after the last slash, up to its first dot.
  static std::string stem(const std::string& name) {
    const std::string file = name.substr(name.rfind('/') + 1);
    return file.substr(0, file.find('.'));
  }

  ImageSource image(const std::string& name, const std::string& id) const {
    if (!find_) return {};
    auto path = find_(name);
    require(path.has_value(), path_.string(), ": ", id, ": there is no image for ", name);
    return *std::move(path);
  }

  std::filesystem::path path_;
  FindImage find_;
  DataErrors& problems_;
  std::vector<Example> examples_;
  std::unordered_map<std::string, std::int64_t> groups_;
};

}  // namespace detail

/// XVNLI: entailment of the hypothesis by the image. The premise is no input: the image replaces it.
/// @param language  of the file, which does not contain it
/// @param find      called with Flickr30K's number of the image: images_in(folder, ".jpg"); empty: views have no image
/// @param errors    receives the errors of read_xvnli(), and "missing image"
/// @throws rc3::Error naming the file: unreadable, or without a valid record
inline Examples xvnli(const std::filesystem::path& path, const std::string& language, FindImage find,
                      DataErrors& errors) {
  detail::ExampleMaker maker(path, std::move(find), errors);
  for (const XvnliRecord& r : read_xvnli(path, errors)) {
    const auto label = static_cast<std::size_t>(r.label);
    maker.add({r.pair_id, {}, language, r.sentence2, std::string(entailment_classes()[label])}, {r.image_id},
              r.image_id);
  }
  return maker.take(join("XVNLI ", language));
}

/// xGQA, and GQA itself: a question about an image. The answer is empty if the file withholds it.
/// @param language  of the questions; the answers are in English
/// @param find      called with "n406334": images_in(folder, ".jpg")
/// @throws rc3::Error as xvnli()
inline Examples xgqa(const std::filesystem::path& path, const std::string& language, FindImage find,
                     DataErrors& errors) {
  detail::ExampleMaker maker(path, std::move(find), errors);
  for (XgqaRecord& r : read_xgqa(path, errors))
    maker.add({std::move(r.id), {}, language, std::move(r.question), std::move(r.answer)}, {r.image_id}, r.image_id);
  return maker.take(join("xGQA ", language));
}

/// MaRVL: truth of a sentence about two images. The file contains its language.
/// @param find  called with "39-Panci/39-n-5.jpg", whose view is named "39-n-5": images_in(folder, "")
/// @throws rc3::Error as xvnli()
inline Examples marvl(const std::filesystem::path& path, FindImage find, DataErrors& errors) {
  detail::ExampleMaker maker(path, std::move(find), errors);
  for (const MarvlRecord& r : read_marvl(path, errors))
    maker.add({r.id, {}, r.language, r.caption, std::string(reasoning_classes()[r.label])}, {r.left_img, r.right_img},
              r.caption);
  return maker.take("MaRVL");
}

/// NLVR2: the training set of models for MaRVL.
/// @param language  of the file, which may be a translation
/// @param find      called with "dev-850-0-img0": images_in(folder, ".png")
/// @throws rc3::Error as xvnli()
inline Examples nlvr2(const std::filesystem::path& path, const std::string& language, FindImage find,
                      DataErrors& errors) {
  detail::ExampleMaker maker(path, std::move(find), errors);
  for (const Nlvr2Record& r : read_nlvr2(path, errors))
    maker.add({r.id, {}, language, r.sentence, std::string(reasoning_classes()[r.label])}, {r.left_img, r.right_img},
              r.sentence);
  return maker.take(join("NLVR2 ", language));
}

}  // namespace rc3::data::iglue
