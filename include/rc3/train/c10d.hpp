#pragma once
/// Communication between the ranks of a run on one or more machines, by LibTorch's c10d: Gloo, and NCCL between GPUs.
///
/// Needs Gloo's headers (Debian: libgloo-dev); the library itself is in LibTorch. Link rc3::gloo in addition to
/// rc3::rc3. It also adds NCCL (and defines RC3_HAS_NCCL) if LibTorch has CUDA and the headers of CUDA and NCCL are
/// found.

#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#if defined(RC3_HAS_NCCL) && !defined(USE_C10D_NCCL)
#define USE_C10D_NCCL
#endif
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef RC3_HAS_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/communicator.hpp"
#include "rc3/core/error.hpp"
#include "rc3/train/launcher.hpp"

namespace rc3::train {

/// Connection between the ranks.
struct C10dOptions {
  std::chrono::milliseconds timeout = std::chrono::minutes(10);  ///< of each call: maximum wait for other ranks
  std::string hostname = {};     ///< of the network interface; empty: that of this machine's name
  at::Device device = at::kCPU;  ///< device of this rank's computation, see train::use_device
  std::string backend = "auto";  ///< backend of GPU tensors: "nccl", "gloo" (through CPU memory), or
                                 ///< "auto": NCCL on a GPU if the program has it
};

/// A Communicator over TCP, and with NCCL over the GPUs' interconnect. CPU tensors always use Gloo. Launch with
/// `torchrun --no-python --nproc-per-node=2 ./program`, with Open MPI's `mpirun -np 2 ./program`, or with Slurm's
/// `srun -n 2 ./program`. On several machines mpirun also needs MASTER_ADDR, the machine of rank 0, and MASTER_PORT.
/// Without a launcher, set RANK and WORLD_SIZE too for each process.
class C10d {
 public:
  /// A single rank; sends nothing. Programs thus need one communicator type for one rank and for several.
  C10d() = default;

  /// Connects to the other ranks and checks their number: the sum of rank + 1 must be n (n + 1) / 2.
  /// @throws rc3::Error naming the environment variable that is missing or not a number, or the rank and the reason of
  ///         a failed connection; for an unknown backend, or one that this program or its device lacks
  static C10d from_environment(const C10dOptions& options = {}) {
    const auto ranks = launched();
    require(
        ranks.has_value(),
        "train::C10d: the variables RANK and WORLD_SIZE are not set; start with torchrun --no-python, mpirun or srun");
    const auto host = ranks->host();  // first: its error is the one to mend first
    return C10d(ranks->rank, ranks->size, host, ranks->port(), options);
  }

  std::int64_t rank() const { return rank_; }  ///< 0 .. size() - 1
  std::int64_t size() const { return size_; }  ///< number of processes; 1 without a launcher

  /// @param t  of the same shape and type on every rank
  /// @return t of each rank, by rank, on the device of @p t
  /// @throws rc3::Error if another rank ended or does not answer within the timeout
  std::vector<at::Tensor> all_gather(const at::Tensor& t) {
    if (!now_.gloo) return {t};
    std::vector<at::Tensor> in{carried(t.contiguous())};
    std::vector<std::vector<at::Tensor>> out(1);
    for (std::int64_t r = 0; r < size_; ++r) out[0].push_back(at::empty_like(in[0]));
    call("all_gather", [&] { now_.of(in[0]).allgather(out, in)->wait(); });
    for (auto& other : out[0]) other = other.to(t.device());
    return out[0];
  }

  /// Replaces @p t by the sum over the ranks.
  /// @param t  of the same shape and type on every rank
  /// @throws rc3::Error as all_gather()
  void all_reduce(at::Tensor& t) {
    if (!now_.gloo) return;
    std::vector<at::Tensor> all{carried(t.contiguous())};
    call("all_reduce", [&] { now_.of(all[0]).allreduce(all)->wait(); });
    if (!all[0].is_same(t)) t.copy_(all[0]);
  }

  /// A sum in progress.
  class Pending {
   public:
    Pending(C10d& comm, const at::Tensor& t) : comm_(comm), sum_(t), all_{comm.carried(t)} {
      if (!comm_.later_.gloo) return;
      comm_.call("all_reduce", [&] { work_ = comm_.later_.of(all_[0]).allreduce(all_); });
    }
    /// Returns once the sum is in the tensor. Until then nobody may use it.
    /// @throws rc3::Error as all_gather()
    void wait() {
      if (!work_) return;
      comm_.call("all_reduce", [&] { work_->wait(); });
      if (!all_[0].is_same(sum_)) sum_.copy_(all_[0]);
    }

   private:
    C10d& comm_;
    at::Tensor sum_;
    std::vector<at::Tensor> all_;
    c10::intrusive_ptr<c10d::Work> work_;
  };

  /// Starts to replace @p t, contiguous, by the sum over the ranks. These calls use separate connections: they are
  /// matched only with each other, in their order.
  /// @return the sum in progress: call wait() before @p t is read. @p t may have any shape, the same on every rank
  Pending all_reduce_later(const at::Tensor& t) { return {*this, t}; }

 private:
  /// Separate connections of the same ranks for each purpose, so that its calls are matched only with each other.
  struct Group {
    c10::intrusive_ptr<c10d::Backend> gloo, nccl;
    c10d::Backend& of(const at::Tensor& t) const { return t.is_cpu() ? *gloo : *nccl; }
  };

  C10d(std::int64_t rank, std::int64_t size, const std::string& host, std::uint16_t port, const C10dOptions& options)
      : rank_(rank), size_(size) {
    const bool nccl = takes_nccl(options);
    call("start", [&] {
      c10d::TCPStoreOptions store_options;
      // Under torchrun its agent holds the store, and every rank is a client.
      const char* agent = std::getenv("TORCHELASTIC_USE_AGENT_STORE");
      const bool elastic = agent != nullptr && std::string_view(agent) == "True";
      store_options.isServer = rank == 0 && !elastic;
      store_options.port = port;
      store_options.numWorkers = static_cast<std::size_t>(size);
      store_options.waitWorkers = false;
      store_options.timeout = options.timeout;
      c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::TCPStore>(host, store_options);
      // After a restart the keys of the previous attempt still exist.
      const char* attempt = std::getenv("TORCHELASTIC_RESTART_COUNT");
      store = c10::make_intrusive<c10d::PrefixStore>(join("rc3/attempt-", attempt == nullptr ? "0" : attempt), store);
      const auto gloo = c10d::ProcessGroupGloo::Options::create();
      gloo->timeout = options.timeout;
      gloo->devices.push_back(options.hostname.empty()
                                  ? c10d::ProcessGroupGloo::createDefaultDevice()
                                  : c10d::ProcessGroupGloo::createDeviceForHostname(options.hostname));
      const auto group = [&](const std::string& name) {
        const auto prefixed = [&](const char* kind) {
          return c10::make_intrusive<c10d::PrefixStore>(name + kind, store);
        };
        const int r = static_cast<int>(rank), n = static_cast<int>(size);
        Group made{c10::make_intrusive<c10d::ProcessGroupGloo>(prefixed(""), r, n, gloo), {}};
#ifdef RC3_HAS_NCCL
        if (nccl) {
          const auto wishes = c10d::ProcessGroupNCCL::Options::create();
          wishes->timeout = options.timeout;
          made.nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(prefixed("/nccl"), r, n, wishes);
        }
#endif
        return made;
      };
      now_ = group("now");
      later_ = group("later");
    });
    check_sum(at::kCPU);
    if (nccl) check_sum(options.device);  // NCCL connects to the other ranks at its first call
  }

  static bool takes_nccl(const C10dOptions& options) {
#ifdef RC3_HAS_NCCL
    constexpr bool built = true;
#else
    constexpr bool built = false;
#endif
    const auto& backend = options.backend;
    require(backend == "auto" || backend == "gloo" || backend == "nccl",
            "train::C10d: the backend must be \"auto\", \"gloo\" or \"nccl\", is \"", backend, '"');
    if (backend != "nccl") return backend == "auto" && built && options.device.is_cuda();
    require(built,
            "train::C10d: backend \"nccl\": this program was built without NCCL; it takes a LibTorch with CUDA and "
            "the headers of CUDA and NCCL (RC3_WITH_NCCL)");
    require(options.device.is_cuda(), "train::C10d: backend \"nccl\": NCCL joins GPUs, the device is ",
            options.device.str());
    return true;
  }

  /// @p t where a group can send it: itself, or its copy in CPU memory.
  at::Tensor carried(const at::Tensor& t) const { return t.is_cpu() || (t.is_cuda() && now_.nccl) ? t : t.cpu(); }

  void check_sum(const at::Device& device) {
    at::Tensor all = at::full({1}, rank_ + 1, at::TensorOptions(device).dtype(at::kLong));
    all_reduce(all);
    const auto sum = all.item<std::int64_t>();
    require(sum == size_ * (size_ + 1) / 2, "train::C10d: the sum of rank + 1 over ", size_, " ranks is ", sum,
            ", not ", size_ * (size_ + 1) / 2, "; two processes have one rank, or another run uses this MASTER_PORT");
  }

  template <class Action>
  void call(const char* what, const Action& action) {
    try {
      action();
    } catch (const std::exception& error) {
      std::string why = error.what();
      fail("train::C10d: rank ", rank_, " of ", size_, ": ", what, ": ", why.substr(0, why.find('\n')),
           "; another rank ended, hangs or cannot be reached");
    }
  }

  std::int64_t rank_ = 0, size_ = 1;
  Group now_, later_;
};

static_assert(Communicator<C10d>);

}  // namespace rc3::train
