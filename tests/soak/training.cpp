// One rank of a training that tools/soak.py disturbs:
//
//   soak_training <folder of shards> <run folder> <file of signs> <steps> <step to end at> <seconds that ranks wait>
//
// The file of signs holds three numbers of 64 bits: the step (written here), whether the disk is full, and the seconds
// that the clock is wrong by (read here and by clock.c).
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cmath>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>

#define BOOST_TEST_REQUIRE(...)  // tiny.hpp is made for Boost.Test
#include "rc3/data/format/webdataset.hpp"
#include "rc3/io/image.hpp"
#include "rc3/train/c10d.hpp"
#include "train/runs/tiny.hpp"

namespace {

namespace tiny = rc3::test::tiny;

struct Signs {
  std::int64_t step, full, wrong_by;
};
volatile Signs* signs;

volatile Signs* open_signs(const char* path) {
  const int file = ::open(path, O_RDWR | O_CLOEXEC);
  void* at = ::mmap(nullptr, sizeof(Signs), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  rc3::require(file >= 0 && at != MAP_FAILED, path, ": cannot be mapped");
  return static_cast<volatile Signs*>(at);
}

/// A disk that is full whenever the sign says so.
struct Disk : rc3::io::System {
  ssize_t write(int file, const void* data, std::size_t size) {
    if (signs->full != 0) return errno = ENOSPC, -1;
    return System::write(file, data, size);
  }
};

/// Mean colours of the image's halves, and letters as ids. In one epoch of three a sample is not a number.
struct Prepare {
  rc3::data::PreparedSample operator()(const rc3::data::Sample& sample, std::uint64_t seed, std::int64_t epoch) const {
    rc3::data::PreparedSample out;
    out.image_id = std::stoll(sample.id);
    rc3::Random random(seed, static_cast<std::uint64_t>(out.image_id), static_cast<std::uint64_t>(epoch));
    const auto& bytes = std::get<rc3::data::EncodedImage>(sample.image).bytes;
    const auto image = rc3::io::decode_image(bytes, sample.id, {.max_pixels = 1 << 12});
    out.regions.width = out.regions.height = 1;
    out.regions.boxes.push_back({0, 0, 1, 1});
    std::array<float, 6> sums{};
    for (std::size_t i = 0; i < image.rgba.size(); ++i)
      if (i % 4 < 3) sums[i % 4 + (2 * i < image.rgba.size() ? 0 : 3)] += static_cast<float>(image.rgba[i]) / 8192;
    if (out.image_id == 17 && epoch % 3 == 1) sums[2] = std::nanf("");
    out.regions.features.assign(sums.begin(), sums.end());
    const auto ids = [&](const std::string& text) {
      std::vector<std::int64_t> all{0};
      for (const char c : text) all.push_back(3 + (c + static_cast<std::int64_t>(random.below(3))) % 47);
      all.push_back(2);
      return all;
    };
    out.a = ids(sample.texts.at(0).text);
    out.b = ids(sample.texts.at(1).text);
    out.caption_a_id = out.image_id;
    out.caption_b_id = 1000 + out.image_id;
    return out;
  }
};

std::int64_t kilobytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

int train(char** argument) {
  const std::filesystem::path shards = argument[1], folder = argument[2];
  signs = open_signs(argument[3]);
  const std::int64_t steps = std::stoll(argument[4]), end = std::stoll(argument[5]);
  at::set_num_threads(1);
  using Comm = rc3::train::C10d;
  const auto comm = std::make_shared<Comm>(
      Comm::from_environment({.timeout = std::chrono::seconds(std::stoll(argument[6])), .hostname = "127.0.0.1"}));
  rc3::train::Trainer<tiny::Trained, Comm> trainer(tiny::make<tiny::Trained>(), tiny::options({.steps = steps}), comm);
  rc3::train::Run<tiny::Trained, Comm, Disk> run(
      trainer, {.checkpoint = {.folder = folder, .every = 50, .keep = 2}, .log = {.every = 100}}, std::cout);
  rc3::data::DataErrors errors({.fraction = 0.2, .minimum = 100});
  const rc3::data::WebDataset source(rc3::data::shards_of(shards), errors, {.keys_per_shard = false});
  rc3::data::LoaderOptions loading;
  loading.order.seed = 3;
  loading.batch.size = 12;
  loading.batch.ranks = comm->size();
  loading.rank = comm->rank();
  rc3::data::Loader loader(source, Prepare{}, rc3::data::CollateSamples(), errors, loading, nullptr,
                           run.loader_state());
  std::int64_t damaged = 0;
  struct Watched {
    decltype(loader)& all;
    const decltype(trainer)& trained;
    std::int64_t end, rank;
    std::int64_t& damaged;
    std::optional<rc3::data::Loaded<rc3::Batch>> next() {
      const auto step = trained.steps();
      if (rank == 0) signs->step = step;
      if (step % 500 == 0) std::cout << "memory " << step << ' ' << kilobytes() << std::endl;
      if (step >= end) return std::nullopt;
      auto loaded = all.next();
      if (loaded) damaged += loaded->skipped;
      return loaded;
    }
    auto state() const { return all.state(); }
  } watched{loader, trainer, end, comm->rank(), damaged};
  run.train(watched);
  std::cout << "ended " << trainer.steps() << ", " << damaged << " damaged samples, " << trainer.skipped()
            << " steps without a finite gradient, " << run.unwritten() << " checkpoints not written" << std::endl;
  return 0;
}

}  // namespace

int main(int count, char** argument) try {
  rc3::require(count == 7, "soak_training: takes 6 arguments, has ", count - 1);
  return train(argument);
} catch (const std::exception& error) {
  std::cout << "error: " << error.what() << std::endl;
  return 1;
}
