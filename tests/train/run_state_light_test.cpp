#include "rc3/train/checkpoint/run_state.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(run_state)

using rc3::train::RunState;

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const rc3::test::TempDir folder;
  const auto highest = std::numeric_limits<std::int64_t>::max();
  const auto seed = std::numeric_limits<std::uint64_t>::max();
  const rc3::data::LoaderState loader{seed, 3, highest, {}, {}};
  const rc3::data::LoaderState all{seed, 3, highest, "shuffled", rc3::data::DataIdentity{"a \"b\"", highest, "0f"}};
  for (const RunState& state :
       {RunState{}, RunState{9, 4, 2, 3, true, loader}, RunState{9, 9, 0, 0, false, loader},
        RunState{9, 9, 0, 0, false, all}, RunState{highest, 0, 0, 1, std::nullopt, std::nullopt}}) {
    rc3::io::write_file(folder.path() / "state.json", state.text());
    BOOST_TEST((RunState::read(folder.path()) == state), state.text());
  }
}

BOOST_AUTO_TEST_CASE(a_malformed_identity_of_the_data_is_named) {
  const rc3::test::TempDir folder;
  const auto refused = [&](const char* data, const char* what) {
    rc3::io::write_file(
        folder.path() / "state.json",
        rc3::join(R"({"steps": 1, "skipped": 0, "skipped_in_a_row": 0, "memory_files": 0, "loader": )",
                  R"({"seed": 1, "epoch": 0, "samples": 0, "order": "shuffled", "data": )", data, "}}"));
    rc3::test::throws_with([&] { RunState::read(folder.path()); }, "state.json: ", what);
  };
  refused("3", "must be an object, is 3");
  refused(R"({"name": "a", "size": -1, "content": "0f"})", "\"size\" must not be negative");
  refused(R"({"name": "a", "size": 1})", "\"content\" is missing");
}

BOOST_AUTO_TEST_SUITE_END()
