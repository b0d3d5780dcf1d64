#include "rc3/train/checkpoint/run_state.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

#include "support/support.hpp"

using rc3::train::RunState;

BOOST_AUTO_TEST_SUITE(run_state)

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const rc3::test::TempDir folder;
  const auto highest = std::numeric_limits<std::int64_t>::max();
  const rc3::data::LoaderState loader{std::numeric_limits<std::uint64_t>::max(), 3, highest};
  for (const RunState& state : {RunState{}, RunState{9, 4, 2, 3, true, loader}, RunState{9, 9, 0, 0, false, loader},
                                RunState{highest, 0, 0, 1, std::nullopt, std::nullopt}}) {
    rc3::io::write_file(folder.path() / "state.json", state.text());
    BOOST_TEST((RunState::read(folder.path()) == state), state.text());
  }
}

BOOST_AUTO_TEST_SUITE_END()
