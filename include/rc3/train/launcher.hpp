#pragma once
/// Variables by which torchrun, Open MPI's mpirun and Slurm's srun number the processes of a run. LibTorch-free.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3::train {

namespace detail {

/// Value of an environment variable; empty if it is not set.
inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The same as a number >= 0; nullopt if it is not set. @throws rc3::Error naming the variable
inline std::optional<std::int64_t> number(const char* name) {
  const auto text = variable(name);
  if (text.empty()) return std::nullopt;
  std::int64_t parsed = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  require(error == std::errc() && end == text.data() + text.size() && parsed >= 0, "the variable ", name,
          " must be a number, is \"", text, '"');
  return parsed;
}

/// First machine of a Slurm list: "node007" of "node[007-010,012],other".
inline std::string first_host(std::string_view list) {
  const auto begin = list.find_first_of("[,");
  std::string host(list.substr(0, begin));
  if (begin == std::string_view::npos || list[begin] == ',') return host;
  const auto inside = list.substr(begin + 1);
  host += inside.substr(0, inside.find_first_of("-,]"));
  const auto rest = inside.substr(std::min(inside.find(']'), inside.size() - 1) + 1);
  return host += rest.substr(0, rest.find_first_of(",["));
}

}  // namespace detail

/// Place of this process among those of its run.
struct Launched {
  const char* by = "";              ///< the launcher
  std::int64_t rank = 0, size = 1;  ///< rank in 0 .. size - 1

  /// Machine of rank 0. @throws rc3::Error if no variable names it
  std::string host() const {
    if (const auto host = detail::variable("MASTER_ADDR"); !host.empty()) return host;
    if (on_one_machine()) return "127.0.0.1";
    if (const auto host = detail::first_host(detail::variable("SLURM_STEP_NODELIST")); !host.empty()) return host;
    fail("train::C10d: the variable MASTER_ADDR is not set: the machine of rank 0");
  }

  /// Port of rank 0, 1 .. 65535. Without MASTER_PORT each mpirun on one machine, and each srun, has a port of its own,
  /// so that concurrent runs do not collide.
  /// @throws rc3::Error for a port out of range, or if nothing gives one
  std::uint16_t port() const {
    if (const auto port = detail::number("MASTER_PORT")) {
      require(*port > 0 && *port < 65536, "train::C10d: MASTER_PORT must be 1 .. 65535, is ", *port);
      return static_cast<std::uint16_t>(*port);
    }
    std::string call = on_one_machine() ? detail::variable("PMIX_NAMESPACE") : "";
    if (const auto job = detail::variable("SLURM_JOB_ID"); call.empty() && !job.empty())
      call = job + '.' + detail::variable("SLURM_STEP_ID");
    require(!call.empty(), "train::C10d: the variable MASTER_PORT is not set");
    return static_cast<std::uint16_t>(20000 + std::hash<std::string>{}(call) % 10000);
  }

 private:
  /// Whether mpirun started all ranks here.
  bool on_one_machine() const {
    return detail::variable("MASTER_ADDR").empty() && !detail::variable("PMIX_NAMESPACE").empty() &&
           detail::number("OMPI_COMM_WORLD_LOCAL_SIZE") == size;
  }
};

/// Rank and number of ranks; nullopt if no launcher started this process.
/// @throws rc3::Error naming a variable that is no number, or missing beside another; for a Slurm job script that has
///         several tasks but starts the program without srun
inline std::optional<Launched> launched() {
  struct Names {
    const char *by, *rank, *size;
  };
  for (const auto& [by, rank, size] :
       {Names{"torchrun", "RANK", "WORLD_SIZE"}, Names{"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
        Names{"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}}) {
    const auto n = detail::number(size);
    if (!n) continue;
    const auto r = detail::number(rank);
    require(r.has_value(), "train::C10d: the variable ", rank, " is not set, but ", size, " is");
    require(*r < *n, "train::C10d: rank ", *r, " of ", *n, " (", rank, ", ", size, ')');
    return Launched{by, *r, *n};
  }
  // In a job script itself Slurm sets these two alone.
  const auto tasks = detail::number("SLURM_NTASKS");
  require(!tasks || *tasks == 1 || detail::variable("SLURM_PROCID").empty(), "SLURM_NTASKS is ", tasks.value_or(0),
          ", but srun did not start this process: start the ranks with srun, or a single one with srun -n 1");
  return std::nullopt;
}

/// This process's rank on its machine, >= 0; 0 without a launcher. @throws rc3::Error if it is no number
inline std::int64_t local_rank() {
  for (const char* name : {"LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"})
    if (const auto rank = detail::number(name)) return *rank;
  return 0;
}

}  // namespace rc3::train
