#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <random>

#include "rc3/train/checkpoint/store.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(train_checkpoint)

using namespace rc3::test;
namespace fs = std::filesystem;
using rc3::train::CheckpointStore;
using rc3::train::CheckpointWriter;
using rc3::train::Manifest;

namespace {

/// The process ends here, as far as the disk is concerned.
struct Killed {};

/// The operating system, which fails at one call.
struct Faulty : rc3::io::System {
  enum class Fault { none, error, short_write, kill };
  struct State {
    int at = -1, calls = 0, error = ENOSPC;
    Fault fault = Fault::none;
    bool dead = false;
  };
  std::shared_ptr<State> state = std::make_shared<State>();

  bool fails() {
    if (state->dead) return true;  // a dead process does nothing more, not even in its destructors
    if (state->calls++ != state->at) return false;
    errno = state->error;
    if (state->fault != Fault::kill) return state->fault == Fault::error;
    state->dead = true;
    throw Killed();
  }
  template <class Call>
  int guarded(const Call& call) {
    return fails() ? -1 : call();
  }
  int create(const char* path) {
    return guarded([&] { return System::create(path); });
  }
  int open_folder(const char* path) {
    return guarded([&] { return System::open_folder(path); });
  }
  ssize_t write(int file, const void* data, std::size_t size) {
    const bool now = state->calls == state->at;
    if (now && state->fault == Fault::kill && !state->dead) System::write(file, data, size / 2);  // half of it arrives
    if (fails()) return -1;
    return now && state->fault == Fault::short_write ? System::write(file, data, (size + 1) / 2)
                                                     : System::write(file, data, size);
  }
  int fsync(int file) {
    return guarded([&] { return System::fsync(file); });
  }
  int close(int file) {
    const int result = System::close(file);
    return fails() ? -1 : result;
  }
  int rename(const char* from, const char* to) {
    return guarded([&] { return System::rename(from, to); });
  }
  int exchange(const char* one, const char* other) {
    return guarded([&] { return System::exchange(one, other); });
  }
  int make_folder(const char* path) {
    return guarded([&] { return System::make_folder(path); });
  }
  int remove_file(const char* path) {
    return guarded([&] { return System::remove_file(path); });
  }
  int remove_folder(const char* path) {
    return guarded([&] { return System::remove_folder(path); });
  }
};

/// Two files that are a function of the step.
std::string content(std::int64_t step, char which) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += static_cast<char>(which + (i * 31 + step * 7) % 23);
  return text;
}
const auto writes = [](std::int64_t step) {
  return [step](auto& writer) {
    writer.begin("a.bin");
    writer.write(content(step, 'A'));
    writer.begin("b.bin");
    writer.write(content(step, 'a').substr(0, 1000));
    writer.write(content(step, 'a').substr(1000));
  };
};

/// Whether @p folder is wholly of @p step.
bool is_of(const fs::path& folder, std::int64_t step) {
  return rc3::io::read_file(folder / "a.bin", 1 << 20) == content(step, 'A') &&
         rc3::io::read_file(folder / "b.bin", 1 << 20) == content(step, 'a');
}

std::int64_t newest(const fs::path& folder) {
  const auto found = CheckpointStore<>(folder).newest();
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(is_of(found->folder, found->manifest.step));
  return found->manifest.step;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_saved_is_found) {
  const TempDir folder;
  CheckpointStore store(folder.path() / "run");
  BOOST_TEST(!store.newest().has_value());
  store.save(100, writes(100));
  store.save(20, writes(20));
  BOOST_TEST(newest(store.folder()) == 100);
  BOOST_TEST((store.steps() == std::vector<std::int64_t>{20, 100}));
  store.save(100, writes(100));  // once more: it takes the place of the old one
  BOOST_TEST(newest(store.folder()) == 100);
  for (const auto& entry : fs::directory_iterator(store.folder()))
    BOOST_TEST(entry.path().extension() != ".tmp", entry.path());
}

BOOST_AUTO_TEST_CASE(the_newest_and_the_best_stay) {
  const TempDir folder;
  CheckpointStore store(folder.path(), 2);
  const std::vector<std::pair<std::int64_t, double>> all{{1, 0.1}, {2, 0.7}, {3, 0.4}, {4, 0.7}, {5, 0.2}, {6, 0.3}};
  for (const auto& [step, metric] : all) store.save(step, writes(step), metric);
  BOOST_TEST((store.steps() == std::vector<std::int64_t>{2, 5, 6}));
  BOOST_TEST(store.best().value() == 2);
  throws_with([&] { CheckpointStore<> one(folder.path(), 1); }, "keep must be at least 2");
}

BOOST_AUTO_TEST_CASE(T12_a_fault_after_each_call_leaves_the_old_or_the_new_checkpoint) {
  using Fault = Faulty::Fault;
  int tried = 0, mixed = 0, kept_old = 0, took_new = 0;
  for (const bool again : {false, true})  // a new step, and one that exists already
    for (const auto& [fault, error] : {std::pair{Fault::error, ENOSPC}, std::pair{Fault::error, EIO},
                                       std::pair{Fault::short_write, 0}, std::pair{Fault::kill, 0}})
      for (int at = 0;; ++at) {
        const TempDir folder;
        Faulty system;
        CheckpointStore<Faulty> store(folder.path(), 2, system);
        for (const std::int64_t step : {10, 20, 30}) store.save(step, writes(step));
        const std::int64_t step = again ? 30 : 40;
        const auto state = system.state;
        state->calls = 0;
        state->at = at;
        state->fault = fault;
        state->error = error;
        bool failed = false;
        try {
          store.save(step, writes(step));
        } catch (const rc3::Error& e) {
          failed = true;
          BOOST_TEST((std::string(e.what()).find(folder.path().string()) != std::string::npos));
        } catch (const Killed&) {
          failed = true;
        }
        const bool reached = state->calls > at;
        if (!reached) break;
        ++tried;
        state->at = -1;
        state->dead = false;
        const auto found = newest(folder.path());
        // With "again" the newest may be 20 for the moment between two renames.
        const bool right = again ? found == 30 || found == 20 : found == 30 || found == 40;
        mixed += !right;
        (found == step ? took_new : kept_old) += 1;
        if (fault == Fault::short_write) BOOST_TEST((!failed && found == step));
        // The next run cleans up and can save.
        CheckpointStore next(folder.path(), 2);
        next.remove_leftovers();
        next.save(50, writes(50));
        BOOST_TEST(newest(folder.path()) == 50);
        for (const auto& entry : fs::directory_iterator(folder.path()))
          BOOST_TEST(entry.path().extension() != ".tmp", entry.path());
      }
  std::cout << "T12 faults tried " << tried << ": old checkpoint " << kept_old << " times, new " << took_new << '\n';
  BOOST_TEST(kept_old > 20);
  BOOST_TEST(took_new > 20);
  at_most("T12 mixed or lost checkpoints", mixed, 0);
}

BOOST_AUTO_TEST_CASE(T13_a_damaged_newest_one_is_named_and_the_one_before_taken) {
  const std::vector<std::pair<std::string, std::function<void(const fs::path&)>>> damages{
      {"truncated", [](const fs::path& p) { fs::resize_file(p / "b.bin", 2000); }},
      {"flipped",
       [](const fs::path& p) {
         std::fstream f(p / "a.bin", std::ios::in | std::ios::out | std::ios::binary);
         f.seekg(1234);
         const auto byte = static_cast<char>(f.get() ^ 1);
         f.seekp(1234);
         f.put(byte);
       }},
      {"no manifest", [](const fs::path& p) { fs::remove(p / "manifest.json"); }},
      {"half a manifest", [](const fs::path& p) { fs::resize_file(p / "manifest.json", 60); }},
      {"no file", [](const fs::path& p) { fs::remove(p / "a.bin"); }},
      {"another step's", [](const fs::path& p) {
         fs::remove_all(p);
         fs::copy(p.parent_path() / "step-1", p);
       }}};
  for (const auto& [what, damage] : damages) {
    const TempDir folder;
    CheckpointStore store(folder.path());
    store.save(1, writes(1));
    store.save(2, writes(2));
    damage(store.path_of(2));
    const auto found = store.newest();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->manifest.step == 1, what);
    BOOST_TEST(is_of(found->folder, 1));
    BOOST_TEST_REQUIRE(found->damaged.size() == 1u);
    std::cout << "T13 " << what << ": " << found->damaged[0] << '\n';
    BOOST_TEST((found->damaged[0].find("step-2") != std::string::npos));
  }
}

BOOST_AUTO_TEST_CASE(where_none_is_whole_the_run_does_not_begin_anew_in_silence) {
  const TempDir folder;
  CheckpointStore store(folder.path());
  store.save(1, writes(1));
  fs::remove(store.path_of(1) / "a.bin");
  throws_with([&] { store.newest(); }, "none of its 1 checkpoints is whole", "a.bin", "move them away");
}

BOOST_AUTO_TEST_CASE(a_manifest_cannot_point_outside) {
  const TempDir folder;
  CheckpointStore store(folder.path());
  store.save(1, writes(1));
  rc3::io::write_file(
      store.path_of(1) / "manifest.json",
      R"({"format": "rc3.checkpoint", "version": 1, "step": 1, "files": {"../x": {"size": 1, "crc32c": 0}}})");
  throws_with([&] { Manifest::read(store.path_of(1)); }, "names a file outside the folder");
}

BOOST_AUTO_TEST_SUITE_END()
