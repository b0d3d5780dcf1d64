#include "rc3/task/caption_search.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/data/examples.hpp"
#include "rc3/task/prepare.hpp"
#include "support/support.hpp"
#include "toy.hpp"

using namespace rc3;
using task::CachedExamples;
using task::CaptionSearch;
using test::throws_with;

namespace {

/// A text of the one id 10 + j is the j-th unit vector.
struct Host : test::Toy {
  Tokens text(const Texts& t) { return {at::eye(4).index_select(0, t.ids.flatten() - 10).unsqueeze(1), t.mask}; }
  /// ITM believes in image B alone, whose first number is 0.6.
  at::Tensor itm_logits(const at::Tensor& z) { return z; }
  at::Tensor fuse(const Tokens& v, const Tokens&) {
    return v.values.select(1, 0).select(1, 0).sub(0.6).abs().lt(1e-3).to(at::kFloat) * 20 - 10;
  }
};

const std::vector<std::vector<float>> image_features{{1, 0, 0, 0}, {0.6f, 0.8f, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}};

struct Caption {
  int image;
  const char* language;
  const char* text;
  std::int64_t id;
};

/// Of image C two captions, of which B has one too; of image D a German one alone.
const std::vector<Caption> captions{
    {0, "en", "a", 10}, {1, "en", "b", 11}, {2, "en", "b", 11}, {2, "en", "c", 13}, {3, "de", "d", 12}};

CachedExamples cached(Host& host) {
  std::vector<data::Example> all;
  for (std::size_t k = 0; k < captions.size(); ++k)
    all.push_back({.id = std::to_string(k), .views = {{}}, .language = captions[k].language, .text = captions[k].text});
  const auto prepare = [](const data::Example& e, std::uint64_t, std::int64_t) {
    const Caption& caption = captions[static_cast<std::size_t>(std::stoi(e.id))];
    task::PreparedExample p;
    p.example = e;
    preprocess::PreparedImage image{1, 1, {1, 2, 3}, {}};
    image.regions.width = image.regions.height = 1;
    image.regions.boxes = {{0, 0, 1, 1}};
    image.regions.features = image_features[static_cast<std::size_t>(caption.image)];
    p.images = {image};
    p.text = {caption.id};
    return p;
  };
  data::DataErrors errors;
  return CachedExamples(host, data::Examples("captions", std::move(all)), prepare, errors);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task_caption_search)

BOOST_AUTO_TEST_CASE(captions_and_images_by_hand) {
  Host host;
  const auto examples = cached(host);
  const auto encoded = task::encode_images(host, examples);
  const CaptionSearch<Host> search(host, examples, encoded, "en");
  const auto recall = search.recall();
  BOOST_TEST(recall.captions == 3);  // equal ones are one
  BOOST_TEST(recall.images == 3);    // D has no English caption
  // a finds A, b finds C, which is as right as B; c is as far from all, and a tie counts against it.
  BOOST_TEST(recall.to_image.at1 == 2.0 / 3);
  BOOST_TEST(recall.to_image.at5 == 1.0);
  BOOST_TEST(recall.to_text.at1 == 1.0);  // C finds b, the better of its two
  // Of one query in three two candidates in three are right.
  BOOST_TEST(recall.to_image_chance.at1 == 4.0 / 9, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(recall.to_text_chance.at1 == 4.0 / 9, boost::test_tools::tolerance(1e-12));
  const auto found = search.found();
  BOOST_REQUIRE(found.size() == 3u);
  BOOST_TEST(found[0].example == 0);
  BOOST_TEST(found[0].rank == 1);
  BOOST_TEST(found[0].found == 0);
  BOOST_TEST(found[1].example == 1);
  BOOST_TEST(found[1].rank == 1);
  BOOST_TEST(found[1].found == 2);  // the first example of image C
  BOOST_TEST(found[2].example == 3);
  BOOST_TEST(found[2].rank == 3);

  const auto german = CaptionSearch<Host>(host, examples, encoded, "de").recall();
  BOOST_TEST(german.images == 1);
  BOOST_TEST(german.to_image.at1 == 1.0);
  BOOST_TEST(german.to_image_chance.at1 == 1.0);
  throws_with([&] { CaptionSearch<Host>(host, examples, encoded, "ja"); }, "no caption in ja");
}

BOOST_AUTO_TEST_CASE(itm_orders_the_best_anew) {
  Host host;
  const auto examples = cached(host);
  CaptionSearch<Host> search(host, examples, task::encode_images(host, examples), "en");
  search.rerank(host, 2);
  const auto found = search.found();
  BOOST_TEST(found[0].rank == 2);  // A and B were the best two, and ITM puts B first
  BOOST_TEST(found[0].found == 1);
  BOOST_TEST(found[1].rank == 1);
  BOOST_TEST(found[1].found == 1);
}

BOOST_AUTO_TEST_SUITE_END()
