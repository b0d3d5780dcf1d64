#include "rc3/io/safetensors.hpp"

#include <ATen/Functions.h>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_safetensors)

namespace st = rc3::io::safetensors;
using rc3::test::throws_with;
using Tensors = std::map<std::string, at::Tensor>;

/// Every type of the format, in the shapes that go wrong first. Bytes are random; bools are 0 or 1.
Tensors examples() {
  Tensors tensors;
  at::manual_seed(1);
  for (const auto& [dtype, type] : st::scalar_types)
    for (const auto& [label, shape] : std::map<std::string, std::vector<std::int64_t>>{
             {"scalar", {}}, {"empty", {0, 3}}, {"matrix", {5, 7}}, {"one", {1, 1, 1}}}) {
      const at::Tensor tensor = at::empty(shape, type);
      const at::Tensor bytes = at::randint(0, type == at::kBool ? 2 : 256, {std::int64_t(tensor.nbytes())}, at::kByte);
      if (tensor.numel() > 0) std::memcpy(tensor.data_ptr(), bytes.data_ptr(), tensor.nbytes());
      tensors.emplace(rc3::join(label, '.', st::dtype_name(dtype)), tensor);
    }
  tensors.emplace("a million", at::randn({1'000'000}));
  tensors.emplace("jméno \"s\" \\ znaky\n", at::ones({2}));
  return tensors;
}

/// The number of tensors of @p a that are not in @p b with the same type, shape and bytes.
std::size_t differences(const Tensors& a, const Tensors& b) {
  std::size_t count = a.size() == b.size() ? 0 : 1;
  for (const auto& [name, tensor] : a) {
    const auto other = b.find(name);
    const bool same =
        other != b.end() && other->second.scalar_type() == tensor.scalar_type() &&
        other->second.sizes() == tensor.sizes() &&
        (tensor.numel() == 0 || std::memcmp(tensor.data_ptr(), other->second.data_ptr(), tensor.nbytes()) == 0);
    count += same ? 0 : 1;
  }
  return count;
}

BOOST_AUTO_TEST_CASE(the_tables_of_types_agree) {
  static_assert(std::size(st::scalar_types) == st::dtypes.size());
  for (std::size_t i = 0; i < st::dtypes.size(); ++i) {
    BOOST_TEST(static_cast<std::size_t>(st::dtypes[i].dtype) == i);
    BOOST_TEST(static_cast<std::size_t>(st::scalar_types[i].first) == i);
    BOOST_TEST(at::empty({0}, st::scalar_types[i].second).element_size() * 8 == st::dtypes[i].bits);
  }
}

BOOST_AUTO_TEST_CASE(round_trip_of_every_type) {
  const rc3::test::TempDir folder;
  const Tensors tensors = examples();
  st::save(folder / "x.safetensors", tensors, {{"format", "pt"}, {"note", "ěš"}});
  rc3::test::at_most("T1 tensors that differ after a round trip",
                     differences(tensors, st::load(folder / "x.safetensors")), 0u);
  const st::Header header = st::read_header(folder / "x.safetensors");
  BOOST_TEST(header.metadata.at("note") == "ěš");
  BOOST_TEST(header.data_offset % 8 == 0u);
  for (const auto& entry : header.entries) BOOST_TEST(entry.begin * 8 % st::dtype_bits(entry.dtype) == 0u);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(the_same_tensors_give_the_same_bytes) {
  const rc3::test::TempDir folder;
  st::save(folder / "a", examples());
  st::save(folder / "b", examples());
  BOOST_TEST((rc3::io::read_file(folder / "a", 1 << 30) == rc3::io::read_file(folder / "b", 1 << 30)));
}

BOOST_AUTO_TEST_CASE(views_are_saved_as_what_they_show) {
  const rc3::test::TempDir folder;
  const at::Tensor base = at::arange(12).view({3, 4});
  const at::Tensor gradient = at::ones({2}).requires_grad_();
  st::save(folder / "x", {{"t", base.t()}, {"row", base[1]}, {"wide", at::ones({1}).expand({3})}, {"g", gradient}});
  const Tensors back = st::load(folder / "x");
  BOOST_TEST(back.at("t").equal(base.t()));
  BOOST_TEST(back.at("row").equal(base[1]));
  BOOST_TEST(back.at("wide").equal(at::ones({3})));
  BOOST_TEST(!back.at("g").requires_grad());
}

BOOST_AUTO_TEST_CASE(reader_reads_one_by_one) {
  const rc3::test::TempDir folder;
  st::save(folder / "x", {{"a", at::ones({2})}, {"b", at::zeros({3}, at::kLong)}});
  const st::Reader reader(folder / "x");
  BOOST_TEST(reader.read("b").equal(at::zeros({3}, at::kLong)));
  BOOST_TEST(reader.find("a")->shape.size() == 1u);
  BOOST_TEST(reader.find("c") == nullptr);
  throws_with([&] { reader.read("c"); }, folder.path().string(), "no tensor \"c\"");
}

BOOST_AUTO_TEST_CASE(mapped_tensors_are_the_same_and_never_reach_the_file) {
  const rc3::test::TempDir folder;
  const auto path = folder / "x.safetensors";
  const Tensors tensors = examples();
  st::save(path, tensors);
  Tensors mapped;
  {
    const st::Reader reader(path, st::Access::mapped);
    for (const auto& entry : reader.header().entries) mapped.emplace(entry.name, reader.read(entry.name));
  }  // the tensors outlive their reader
  rc3::test::at_most("mapped tensors that differ", differences(tensors, mapped), 0u);

  const auto before = rc3::io::read_file(path, 1 << 24);
  for (auto& [name, tensor] : mapped) tensor.zero_();
  BOOST_TEST((rc3::io::read_file(path, 1 << 24) == before));
  // Replaced by a rename, the old file lives on in the mapping.
  auto again = st::Reader(path, st::Access::mapped).read(tensors.begin()->first);
  st::save(path, {{"other", at::zeros({3})}});
  BOOST_TEST(differences({{"t", tensors.begin()->second}}, {{"t", again}}) == 0u);
}

BOOST_AUTO_TEST_CASE(a_mapped_file_costs_no_memory_until_it_is_used) {
  const rc3::test::TempDir folder;
  st::save(folder / "x", {{"a", at::ones({16 << 20})}});
  const rc3::test::PeakMemory memory;
  const auto a = st::Reader(folder / "x", st::Access::mapped).read("a");
  rc3::test::at_most("64 MB mapped, first page used: KB", a[0].item<float>() == 1 ? memory.rise() : -1, 8192);
}

BOOST_AUTO_TEST_CASE(an_unaligned_tensor_is_copied) {
  // One byte, then a float: legal, but no place for a float in memory.
  const rc3::test::TempDir folder;
  std::string header =
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  const float values[] = {1.5F, -2.0F};
  file += header + "\x07" + std::string(reinterpret_cast<const char*>(values), sizeof values);
  rc3::io::write_file(folder / "x", file);
  const st::Reader reader(folder / "x", st::Access::mapped);
  BOOST_TEST(reader.read("b").equal(at::tensor({1.5F, -2.0F})));
  BOOST_TEST(reader.read("a").item<int>() == 7);
}

BOOST_AUTO_TEST_CASE(errors_name_file_and_reason) {
  const rc3::test::TempDir folder;
  const auto path = folder / "x.safetensors";
  throws_with([&] { st::load(path); }, "x.safetensors", "No such file");
  throws_with([&] { st::save(folder / "none" / "x", {}); }, "none/x", "No such file");
  throws_with([&] { st::save(path, {{"z", at::zeros({1}, at::kComplexDouble)}}); }, "\"z\"", "ComplexDouble");
  throws_with([&] { st::save(path, {{"\xFF", at::zeros({1})}}); }, "x.safetensors", "UTF-8");
  throws_with([&] { st::save(path, {{"u", at::Tensor()}}); }, "\"u\" is undefined");
  throws_with([&] { st::save(path, {{"__metadata__", at::zeros({1})}}); }, "__metadata__");
  throws_with([&] { st::save(path, {{"s", at::zeros({2, 2}).to_sparse()}}); }, "\"s\"", "dense");
  throws_with([&] { st::save(path, {}, {{"k", "\xFF"}}); }, "x.safetensors", "metadata");
  BOOST_TEST(!std::filesystem::exists(path));

  st::save(path, {{"a", at::ones({4})}, {"b", at::ones({4}, at::kBool)}});
  const std::string whole = rc3::io::read_file(path, 1 << 20);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, n);
    BOOST_CHECK_THROW(st::load(path), rc3::Error);
  }
  std::string odd = whole;
  odd.back() = 2;
  std::ofstream(path, std::ios::binary) << odd;
  throws_with([&] { st::load(path); }, "x.safetensors", "\"b\"", "neither 0 nor 1");
}

BOOST_AUTO_TEST_CASE(a_file_that_shrinks_after_the_header_was_read) {
  const rc3::test::TempDir folder;
  st::save(folder / "x", {{"a", at::ones({1000})}});
  const st::Reader reader(folder / "x");
  std::filesystem::resize_file(folder / "x", 500);
  throws_with([&] { reader.read("a"); }, "truncated");
}

BOOST_AUTO_TEST_CASE(parity_with_python) {
  const std::string python = rc3::test::environment("RC3_TEST_PYTHON");
  if (python.empty()) {
    std::cout << "skipped: no RC3_TEST_PYTHON; ./run test sets it\n";
    return;
  }
  // Ours to Python, which compares it with its own reading and writes it again; then Python's to us.
  const rc3::test::TempDir folder;
  const Tensors tensors = examples();
  st::save(folder / "ours", tensors);
  const std::string command =
      rc3::join('"', python, "\" \"", rc3::test::source("tests/io/safetensors_peer.py").string(), "\" \"",
                (folder / "ours").string(), "\" \"", (folder / "theirs").string(), '"');
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  const Tensors theirs = st::load(folder / "theirs");
  rc3::test::at_least("tensors through Python", theirs.size(), tensors.size());
  rc3::test::at_most("T1 tensors that differ after Python", differences(tensors, theirs), 0u);
  // Not only the same tensors: the same file, but for the order within the header.
  BOOST_TEST(std::filesystem::file_size(folder / "ours") == std::filesystem::file_size(folder / "theirs"));
}

BOOST_AUTO_TEST_SUITE_END()
