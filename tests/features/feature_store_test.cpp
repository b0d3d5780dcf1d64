#include "rc3/features/feature_store.hpp"

#include <boost/test/unit_test.hpp>

#include <ATen/ops/arange.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "host.hpp"
#include "rc3/features/cached_samples.hpp"
#include "rc3/train/precision.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(features_feature_store)

using namespace rc3;
using features::CachedSamples;
using features::FeatureStore;
using test::Greys;
using test::Host;
using test::letters;
using test::prepare;
using test::TempDir;
using test::throws_with;

namespace {

std::string key(char c) { return std::string(40, c); }
const std::string identity(40, '7');

at::Tensor numbers(std::int64_t rows, double first) {
  return (at::arange(rows * 3, at::kFloat) + first).view({rows, 3}).to(at::kHalf);
}

std::filesystem::path only_part(const std::filesystem::path& folder) {
  std::filesystem::path found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") {
      BOOST_TEST(found.empty());
      found = entry.path();
    }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_of_different_lengths_come_back) {
  const TempDir folder;
  {
    FeatureStore store(folder.path(), "texts", identity);
    store.put(key('a'), {{"hidden", numbers(2, 0)}});
    store.put(key('b'), {{"hidden", numbers(5, 50)}, {"regions", numbers(1, 90)}});
    store.put(key('c'), {{"regions", numbers(4, 100)}});
    BOOST_TEST(!store.find(key('a')));  // not before it is on disk
  }
  std::ostringstream log;
  const FeatureStore store(folder.path(), "texts", identity, log);
  BOOST_TEST(store.size() == 3);
  BOOST_TEST(store.find(key('a'))->at("hidden").equal(numbers(2, 0)));
  BOOST_TEST(!store.find(key('a'))->contains("regions"));
  BOOST_TEST(store.find(key('b'))->at("hidden").equal(numbers(5, 50)));
  BOOST_TEST(store.find(key('b'))->at("regions").equal(numbers(1, 90)));
  BOOST_TEST(store.find(key('c'))->at("regions").equal(numbers(4, 100)));
  BOOST_TEST(!store.find(key('d')));
  BOOST_TEST(log.str().empty());
  BOOST_TEST(FeatureStore(folder.path(), "images", identity).size() == 0);
  BOOST_TEST(FeatureStore(folder.path(), "texts", std::string(40, '8')).size() == 0);
}

BOOST_AUTO_TEST_CASE(rows_are_saved_under_autocast_as_without) {
  const TempDir folder;
  {
    const train::Autocast bfloat16(train::Precision::bfloat16);
    FeatureStore store(folder.path(), "texts", identity);
    store.put(key('a'), {{"hidden", numbers(2, 0)}});
    store.put(key('b'), {{"hidden", numbers(5, 50)}});
    store.flush();
  }
  const FeatureStore store(folder.path(), "texts", identity);
  BOOST_TEST(store.find(key('b')).value().at("hidden").equal(numbers(5, 50)));
}

BOOST_AUTO_TEST_CASE(a_damaged_part_is_deleted_and_one_of_other_layers_ignored) {
  const TempDir folder;
  {
    FeatureStore store(folder.path(), "texts", identity);
    store.put(key('a'), {{"hidden", numbers(2, 0)}});
  }
  const auto part = only_part(folder.path());
  const auto size = std::filesystem::file_size(part);
  // The same bytes where features of other layers are: the file says whose it is.
  const auto other = std::string(16, '7') + std::string(24, '8');
  std::ostringstream log;
  BOOST_TEST(FeatureStore(folder.path(), "texts", other, log).size() == 0);
  BOOST_TEST(log.str().find("other frozen layers") != std::string::npos);
  BOOST_TEST(std::filesystem::exists(part));

  std::fstream(part, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::int64_t>(size) - 45)
      .put('x');
  BOOST_TEST(FeatureStore(folder.path(), "texts", identity, log).size() == 0);
  BOOST_TEST(log.str().find("computed again") != std::string::npos);
  BOOST_TEST(!std::filesystem::exists(part));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_and_a_wrong_key_are_errors) {
  const TempDir folder;
  std::ofstream(folder.path() / "file") << "x";
  throws_with([&] { FeatureStore(folder.path() / "file", "texts", identity); }, "cannot make the folder");
  FeatureStore store(folder.path(), "texts", identity);
  throws_with([&] { store.put("short", {}); }, "a key has 40 characters");
}

BOOST_AUTO_TEST_CASE(a_second_run_computes_no_frozen_layer) {
  const TempDir folder;
  const std::vector<features::TextOf> which{{2, 1}, {0, 0}};
  at::Tensor maps, hidden;
  for (int run = 0; run < 2; ++run) {
    Host host;
    data::DataErrors errors;
    CachedSamples samples(host, Greys(5), letters, prepare, errors, {.folder = folder.path()});
    samples.encode_texts(host);
    BOOST_TEST(host.visual_.network->seen == (run == 0 ? 5 : 0));
    BOOST_TEST(host.text_.seen == (run == 0 ? 15 : 0));
    const auto images = samples.images({3, 1});
    const auto texts = samples.texts(host, which);
    BOOST_TEST(!images.pixels.defined());
    BOOST_TEST(host.text_.seen == (run == 0 ? 15 : 0));
    if (run == 0) {
      maps = images.features;
      hidden = texts.hidden;
    }
    BOOST_TEST(images.features.equal(maps));
    BOOST_TEST(texts.hidden.equal(hidden));
  }
}

BOOST_AUTO_TEST_SUITE_END()
