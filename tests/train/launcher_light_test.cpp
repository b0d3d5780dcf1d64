#include "rc3/train/launcher.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(launcher)

using namespace rc3::train;
using rc3::test::throws_with;

namespace {

/// Scope guard: these variables of all launchers, and no others.
struct Variables {
  explicit Variables(std::initializer_list<std::pair<const std::string, std::string>> values)
      : Variables(std::map<std::string, std::string>(values)) {}
  explicit Variables(const std::map<std::string, std::string>& values) {
    clear();
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;
  ~Variables() { clear(); }
  static void clear() {
    for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "OMPI_COMM_WORLD_RANK",
                             "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE",
                             "PMIX_NAMESPACE", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS",
                             "SLURM_STEP_NODELIST", "SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_LOCALID"})
      ::unsetenv(name);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(each_launcher_is_understood) {
  {
    const Variables none(std::map<std::string, std::string>{});
    BOOST_TEST(!launched());
    BOOST_TEST(local_rank() == 0);
  }
  {
    const Variables torchrun({{"RANK", "1"},
                              {"WORLD_SIZE", "4"},
                              {"LOCAL_RANK", "1"},
                              {"MASTER_ADDR", "a"},
                              {"MASTER_PORT", "29500"},
                              {"SLURM_PROCID", "0"},
                              {"SLURM_NTASKS", "2"}});
    const auto ranks = launched();
    BOOST_TEST(ranks->by == "torchrun");
    BOOST_TEST(ranks->rank == 1);
    BOOST_TEST(ranks->size == 4);
    BOOST_TEST(ranks->host() == "a");
    BOOST_TEST(ranks->port() == 29500);
    BOOST_TEST(local_rank() == 1);
  }
  {
    const Variables mpirun({{"OMPI_COMM_WORLD_RANK", "1"},
                            {"OMPI_COMM_WORLD_SIZE", "2"},
                            {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                            {"PMIX_NAMESPACE", "1@2"}});
    BOOST_TEST(launched()->host() == "127.0.0.1");
    BOOST_TEST(launched()->port() >= 20000);
  }
}

BOOST_AUTO_TEST_CASE(srun_is_understood_and_a_job_script_without_it_is_told) {
  std::map<std::string, std::string> srun{{"SLURM_PROCID", "5"},         {"SLURM_NTASKS", "8"},
                                          {"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_STEP_NODELIST", "gpu[07-08]"},
                                          {"SLURM_JOB_ID", "123"},       {"SLURM_STEP_ID", "0"},
                                          {"SLURM_LOCALID", "1"}};
  std::uint16_t port = 0;
  {
    const Variables set(srun);
    const auto ranks = launched();
    BOOST_TEST(ranks->by == "srun");
    BOOST_TEST(ranks->rank == 5);
    BOOST_TEST(ranks->size == 8);
    BOOST_TEST(ranks->host() == "gpu07");
    BOOST_TEST(local_rank() == 1);
    port = ranks->port();
  }
  srun["SLURM_STEP_ID"] = "1";  // another srun of the same job, at the same time
  {
    const Variables set(srun);
    BOOST_TEST(launched()->port() != port);
  }
  const Variables script({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}});
  throws_with([] { launched(); }, "SLURM_NTASKS is 4", "start the ranks with srun");
  const Variables one({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}});
  BOOST_TEST(!launched());
  const Variables allocation({{"SLURM_NTASKS", "4"}});  // salloc, in a shell
  BOOST_TEST(!launched());
}

BOOST_AUTO_TEST_CASE(the_first_machine_of_a_list) {
  for (const auto& [list, first] : {std::pair("node1", "node1"),
                                    {"node1,node2", "node1"},
                                    {"n[007-010,012],x", "n007"},
                                    {"n[3,5]", "n3"},
                                    {"a[1-2]-ib,b", "a1-ib"},
                                    {"", ""},
                                    {"n[", "n"},
                                    {"n[3", "n3"}})
    BOOST_TEST(detail::first_host(list) == first);
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_wrong_is_named) {
  using Values = std::map<std::string, std::string>;
  const auto refused = [](const Values& values, const char* what) {
    const Variables set(values);
    throws_with(
        [] {
          if (const auto ranks = launched()) ranks->host(), ranks->port();
        },
        what);
  };
  refused({{"WORLD_SIZE", "two"}}, "the variable WORLD_SIZE must be a number, is \"two\"");
  refused({{"WORLD_SIZE", "2"}}, "the variable RANK is not set, but WORLD_SIZE is");
  refused({{"WORLD_SIZE", "2"}, {"RANK", "-1"}}, "RANK must be a number");
  refused({{"WORLD_SIZE", "2"}, {"RANK", "2"}}, "rank 2 of 2");
  refused({{"WORLD_SIZE", "0"}, {"RANK", "0"}}, "rank 0 of 0");
  refused({{"WORLD_SIZE", "2"}, {"RANK", "0"}}, "MASTER_ADDR is not set");
  refused({{"WORLD_SIZE", "2"}, {"RANK", "0"}, {"MASTER_ADDR", "a"}}, "MASTER_PORT is not set");
  refused({{"WORLD_SIZE", "2"}, {"RANK", "0"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "70000"}}, "1 .. 65535, is 70000");
  const Variables set({{"LOCAL_RANK", "x"}});
  throws_with([] { local_rank(); }, "LOCAL_RANK must be a number");
}

BOOST_AUTO_TEST_SUITE_END()
