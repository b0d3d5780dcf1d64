// An index of image files against embeddings compared by hand; folders that change; files of other models.
#include "rc3/pipeline/image_index.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <torch/torch.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "pipeline/tiny.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(pipeline_image_index)

namespace fs = std::filesystem;
using namespace rc3::test;
using rc3::ImageHit;
using rc3::ImageIndex;

void write(const fs::path& path, const std::string& content, int hours_ago = 48) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
  fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(hours_ago));
}
std::string png(std::uint64_t seed) { return rc3::io::encode_png(drawing(seed)); }

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Twelve drawings in two folders, a text, a GIF and a damaged image.
void fill(const fs::path& folder) {
  for (std::uint64_t i = 0; i < 12; ++i)
    write(folder / (i % 3 == 0 ? "sub" : "") / (std::to_string(i) + ".png"), png(i));
  write(folder / "notes.txt", "notes");
  write(folder / "anim.gif", "GIF89a\1");
  write(folder / "cut.png", png(50).substr(0, 60));
}

bool same(const std::vector<ImageHit>& a, const std::vector<ImageHit>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const ImageHit& x, const ImageHit& y) {
    return x.path == y.path && std::abs(x.score - y.score) < 1e-6;
  });
}

BOOST_AUTO_TEST_CASE(searches_by_text_and_image) {
  const TempDir folder;
  fill(folder.path());
  const auto p = tiny_pipeline();
  rc3::ImageIndex index(p);
  std::vector<std::int64_t> done;
  const auto report = index.add_folder(folder.path(), [&](auto n, auto) { done.push_back(n); });
  BOOST_TEST(report.added == 12);
  BOOST_TEST_REQUIRE(report.skipped.size() == 3u);
  BOOST_TEST(report.skipped[0].reason == "GIF; only these are read: JPEG, PNG");
  BOOST_TEST(report.skipped[1].path == (folder / "cut.png").string());
  BOOST_TEST(report.skipped[2].reason == "text; only these are read: JPEG, PNG");
  BOOST_TEST((done == std::vector<std::int64_t>{13}));
  BOOST_TEST(index.size() == 12);

  const auto images = index.embedder().images(drawings(12));
  const auto scores = images.matmul(index.embedder().text("a red square"));
  const auto [best, order] = scores.sort(0, /*descending=*/true);
  const auto hits = index.search("a red square", 5);
  BOOST_TEST_REQUIRE(hits.size() == 5u);
  for (std::int64_t k = 0; k < 5; ++k) {
    const auto& hit = hits[static_cast<std::size_t>(k)];
    BOOST_TEST(fs::path(hit.path).filename() == std::to_string(order[k].item<std::int64_t>()) + ".png");
    BOOST_TEST(std::abs(hit.score - best[k].item<float>()) < 1e-6);
    BOOST_TEST(std::isnan(hit.match));
  }
  BOOST_TEST(index.search("a red square").size() == 10u);
  const auto sub = index.search("a red square", 20, [](auto path) { return path.find("/sub/") != path.npos; });
  BOOST_TEST(sub.size() == 4u);

  const auto close = index.search_image(folder / "sub/3.png", 12);
  BOOST_TEST(close.size() == 11u);  // not itself
  write(folder / "elsewhere", png(3));
  const auto copy = index.search_image(folder / "elsewhere", 1);
  BOOST_TEST_REQUIRE(copy.size() == 1u);
  BOOST_TEST(copy[0].path == (folder / "sub/3.png").string());
  BOOST_TEST(copy[0].score > 1 - 1e-6);
  throws_with([&] { index.search_image(folder / "none.png"); }, "none.png: cannot open");
  throws_with([&] { index.search("a", 0); }, "k must be >= 1");
  throws_with([&] { index.search(" "); }, "empty or blank");
}

BOOST_AUTO_TEST_CASE(reranking_sorts_by_score_and_match) {
  const TempDir folder;
  fill(folder.path());
  rc3::ImageIndex index(tiny_pipeline());
  index.add_folder(folder.path());
  const auto hits = index.search("a dog", 6);
  fs::remove(hits[2].path);  // gone since
  const auto again = index.rerank("a dog", hits);
  BOOST_TEST_REQUIRE(again.size() == 5u);
  for (std::size_t i = 0; i < again.size(); ++i) {
    BOOST_TEST(again[i].path != hits[2].path);
    BOOST_TEST(again[i].match == index.embedder().match("a dog", std::vector<fs::path>{again[i].path})[0],
               boost::test_tools::tolerance(1e-5f));
    if (i > 0) BOOST_TEST(again[i - 1].score + again[i - 1].match >= again[i].score + again[i].match);
  }
}

BOOST_AUTO_TEST_CASE(updates_what_changed) {
  const TempDir folder;
  fill(folder / "p");
  const auto p = tiny_pipeline();
  rc3::ImageIndex index(p);
  index.add_folder(folder / "p");
  index.save(folder / "i");
  auto again = rc3::load_image_index(folder / "i", p);
  BOOST_TEST(same(again.search("a", 20), index.search("a", 20)));
  const auto unchanged = again.update(folder / "p");
  BOOST_TEST(unchanged.unchanged == 12);
  BOOST_TEST(unchanged.added + unchanged.changed + unchanged.removed == 0);
  BOOST_TEST(unchanged.skipped.size() == 3u);

  write(folder / "p/1.png", png(101), 1);
  write(folder / "p/2.png", png(2), 1);                // touched
  write(folder / "p/4.png", png(4).substr(0, 70), 1);  // damaged now
  write(folder / "p/5.png", "text now", 1);
  fs::remove(folder / "p/sub/6.png");
  write(folder / "p/new.png", png(102), 1);
  const auto kept = again.add_folder(folder / "p");  // removes nothing
  BOOST_TEST(kept.removed == 0);
  BOOST_TEST(again.contains(folder / "p/sub/6.png"));
  auto changed = rc3::load_image_index(folder / "i", p);
  const auto report = changed.update(folder / "p");
  BOOST_TEST(report.added == 1);
  BOOST_TEST(report.changed == 1);
  BOOST_TEST(report.unchanged == 8);
  BOOST_TEST(report.removed == 3);
  BOOST_TEST(report.skipped.size() == 5u);
  BOOST_TEST(changed.size() == 10);
  again.update(folder / "p");

  rc3::ImageIndex fresh(p);  // the same as made again
  fresh.add_folder(folder / "p");
  for (const auto* updated : {&changed, &again}) BOOST_TEST(same(updated->search("a", 20), fresh.search("a", 20)));
}

BOOST_AUTO_TEST_CASE(single_images) {
  const TempDir folder;
  write(folder / "a.png", png(1));
  rc3::ImageIndex index(tiny_pipeline());
  BOOST_TEST(index.search("a", 5).empty());
  index.add(folder / "a.png");
  index.add("drawn", drawing(2));
  BOOST_TEST(index.size() == 2);
  write(folder / "a.png", png(2));
  index.add(folder / "a.png");  // read again
  BOOST_TEST(index.size() == 2);
  const auto hits = index.search("x", 2);
  BOOST_TEST(std::abs(hits[0].score - hits[1].score) < 1e-6);
  BOOST_TEST(index.update(folder.path()).unchanged == 1);
  index.remove("drawn");
  BOOST_TEST(!index.contains("drawn"));
  throws_with([&] { index.remove("drawn"); }, "\"drawn\" is not in the index");
  throws_with([&] { index.add(folder / "none.png"); }, "none.png: cannot open");
  write(folder / "t.png", "text");
  throws_with([&] { index.add(folder / "t.png"); }, "t.png: text; only");
  BOOST_TEST(index.size() == 1);
}

BOOST_AUTO_TEST_CASE(bad_folders) {
  const TempDir folder;
  const auto p = tiny_pipeline();
  rc3::ImageIndex index(p);
  fs::create_directory(folder / "empty");
  throws_with([&] { index.add_folder(folder / "empty"); }, "empty: holds no image, 0 other files");
  write(folder / "texts/a.txt", "text");
  throws_with([&] { index.add_folder(folder / "texts"); }, "holds no image, 1 other files; the first: ", "a.txt: text");
  throws_with([&] { index.add_folder(folder / "none"); }, "none: cannot read the folder");
  write(folder / "disk/a.png", png(1));
  index.add_folder(folder / "disk");
  fs::remove(folder / "disk/a.png");
  throws_with([&] { index.update(folder / "disk"); }, "the index has 1 images of it, which are kept", "mounted");
  BOOST_TEST(index.size() == 1);
}

BOOST_AUTO_TEST_CASE(an_index_of_another_model_is_refused) {
  const TempDir folder;
  fill(folder / "p");
  rc3::ImageIndex index(tiny_pipeline(1));
  index.add_folder(folder / "p");
  index.save(folder / "i");
  BOOST_TEST(rc3::load_image_index(folder / "i", tiny_pipeline(1)).size() == 12);  // equal weights
  throws_with([&] { rc3::load_image_index(folder / "i", tiny_pipeline(2)); }, "/i: made with the model", "not with",
              "make the index again");
  auto other = tiny_pipeline(1);
  other.images.resize = rc3::preprocess::PreprocessSize{40, 40, 0};
  throws_with([&] { rc3::load_image_index(folder / "i", other); }, "made with the model");
  const std::string whole = content_of(folder / "i");
  write(folder / "short", whole.substr(0, whole.size() - 1));
  throws_with([&] { rc3::load_image_index(folder / "short", tiny_pipeline(1)); }, "short: truncated");
}

// A disk that fills up, and another program that writes the same file: the file is always one of the whole ones.
BOOST_AUTO_TEST_CASE(a_failed_save_leaves_the_old_file) {
  const TempDir folder;
  fill(folder / "p");
  const auto p = tiny_pipeline();
  rc3::ImageIndex index(p), smaller(p);
  index.add_folder(folder / "p");
  smaller.add(folder / "p/1.png");
  smaller.save(folder / "i");
  const std::string before = content_of(folder / "i");
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit limit{800, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const std::string message = message_of([&] { index.save(folder / "i"); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(message.find("/i: cannot write") != std::string::npos, message);
  BOOST_TEST((content_of(folder / "i") == before));
  index.save(folder / "i");
  smaller.save(folder / "i");
  BOOST_TEST(rc3::load_image_index(folder / "i", p).size() == 1);
  BOOST_TEST(std::distance(fs::directory_iterator(folder.path()), {}) == 2);
}

BOOST_AUTO_TEST_SUITE_END()
