#include "rc3/train/background.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "rc3/train/checkpoint/store.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(train_background)

using namespace rc3::test;
using rc3::train::Background;
using rc3::train::CheckpointStore;

/// As train::Run does it. The test train.tsan runs this with the writer of checkpoints under ThreadSanitizer.
BOOST_AUTO_TEST_CASE(training_goes_on_while_its_copy_is_written) {
  const TempDir folder;
  CheckpointStore store(folder.path(), 2);
  std::string weights(100'000, ' ');
  {
    Background background;
    for (char step = 1; step <= 40; ++step) {
      for (char& weight : weights) weight = static_cast<char>('A' + step);
      if (step % 2 != 0) continue;
      background.wait();
      background.start([&store, step, copy = std::make_shared<std::string>(weights)] {
        store.save(step, [&](auto& writer) {
          writer.begin("model.bin");
          writer.write(*copy);
        });
      });
    }
  }  // the last one is waited for
  BOOST_TEST((store.steps() == std::vector<std::int64_t>{38, 40}));
  for (const int step : {38, 40})
    BOOST_TEST((rc3::io::read_file(folder / rc3::join("step-", step, "/model.bin"), 1 << 20) ==
                std::string(100'000, static_cast<char>('A' + step))));
}

BOOST_AUTO_TEST_CASE(tasks_do_not_overlap_and_a_failure_is_thrown_once) {
  Background background;
  std::atomic<int> running{0}, most{0};
  for (int i = 0; i < 5; ++i)
    background.start([&] {
      most = std::max(most.load(), ++running);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      --running;
    });
  background.wait();
  BOOST_TEST(most == 1);
  background.start([] { rc3::fail("no space"); });
  throws_with([&] { background.start([&] { ++running; }); }, "no space");
  background.wait();
  BOOST_TEST(running == 0);  // the second was not started
}

BOOST_AUTO_TEST_SUITE_END()
