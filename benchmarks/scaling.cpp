// One rank of a training whose cost benchmarks/scaling.py measures: R-XVtCL and ITC through Trainer and C10d, with
// every byte counted. Rank 0 prints one line of JSON. Arguments are name=value: see Facts.
//
//     torchrun --no-python --nproc-per-node=2 build/release/benchmarks/rc3_bench scaling batch=4 steps=5
#include <rc3/rc3.hpp>
#include <rc3/train/c10d.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "programs.hpp"
#include "small_model.hpp"

namespace bench::scaling {
namespace {

using namespace small;

/// A C10d that counts what is said by kind, and when gradients leave.
class Counted {
 public:
  struct Kind {
    std::int64_t calls = 0, hops = 0, bytes = 0;  ///< hops: messages that follow one another; bytes: of the tensors
    double wire = 0, seconds = 0;                 ///< bytes that a ring sends for them; seconds that the caller waited
  };
  explicit Counted(rc3::train::C10d comm) : comm_(std::move(comm)) {}

  std::int64_t rank() const { return comm_.rank(); }
  std::int64_t size() const { return comm_.size(); }

  std::vector<at::Tensor> all_gather(const at::Tensor& t) {
    // In a ring every rank passes on all but its neighbour's.
    return timed(at::isFloatingType(t.scalar_type()) ? "gather" : "other", t, static_cast<double>(size() - 1),
                 size() - 1, [&] { return comm_.all_gather(t); });
  }
  void all_reduce(at::Tensor& t) {
    if (t.scalar_type() == at::kLong) backward_ended();
    timed(t.scalar_type() == at::kFloat ? "gather_backward" : "other", t, ring(), 2 * (size() - 1),
          [&] { comm_.all_reduce(t); });
  }

  class Pending {
   public:
    Pending(Counted& all, const at::Tensor& t) : all_(all), work_(all.comm_.all_reduce_later(t)) {}
    void wait() {
      const auto begin = Clock::now();
      work_.wait();
      all_.kinds_["gradients"].seconds += since(begin);
    }

   private:
    Counted& all_;
    rc3::train::C10d::Pending work_;
  };
  Pending all_reduce_later(const at::Tensor& t) {
    begun_.emplace_back(static_cast<std::int64_t>(t.nbytes()), Clock::now());
    add("gradients", t, ring(), 2 * (size() - 1));
    return {*this, t};
  }

  /// Waits for all ranks, uncounted. @return the largest of their @p seconds
  double slowest(double seconds) {
    for (const auto& other : comm_.all_gather(at::tensor({seconds}, at::kDouble)))
      seconds = std::max(seconds, other.item<double>());
    return seconds;
  }

  /// Forgets what was counted. @return it, each kind divided by @p steps
  nlohmann::ordered_json take(std::int64_t steps) {
    auto all = nlohmann::ordered_json::object();  // of a single rank: nothing is sent
    const auto each = static_cast<double>(steps);
    for (const auto& [name, kind] : kinds_)
      all["sent"][name] = {{"calls", static_cast<double>(kind.calls) / each},
                           {"hops", static_cast<double>(kind.hops) / each},
                           {"bytes", static_cast<double>(kind.bytes) / each},
                           {"wire_bytes", kind.wire / each},
                           {"seconds", kind.seconds / each}};
    for (auto& [bytes, lead] : leads_) all["buckets"].push_back({{"bytes", bytes}, {"lead_seconds", median(lead)}});
    kinds_.clear();
    leads_.clear();
    return all;
  }

 private:
  double ring() const { return 2.0 * static_cast<double>(size() - 1) / static_cast<double>(size()); }

  void add(const char* name, const at::Tensor& t, double wire_for_byte, std::int64_t hops) {
    auto& kind = kinds_[name];
    ++kind.calls;
    kind.hops += hops;
    kind.bytes += static_cast<std::int64_t>(t.nbytes());
    kind.wire += wire_for_byte * static_cast<double>(t.nbytes());
  }
  template <class Action>
  std::invoke_result_t<Action> timed(const char* name, const at::Tensor& t, double wire_for_byte, std::int64_t hops,
                                     const Action& action) {
    struct Clocked {
      Kind& kind;
      Clock::time_point begin = Clock::now();
      ~Clocked() { kind.seconds += since(begin); }
    };
    add(name, t, wire_for_byte, hops);
    const Clocked clocked{kinds_[name]};
    return action();
  }

  /// The first integers that are added after gradients left are GradientSum::finish()'s counts.
  void backward_ended() {
    leads_.resize(std::max(leads_.size(), begun_.size()));
    for (std::size_t k = 0; k < begun_.size(); ++k) {
      leads_[k].first = begun_[k].first;
      leads_[k].second.push_back(since(begun_[k].second));
    }
    begun_.clear();
  }

  rc3::train::C10d comm_;
  std::map<std::string, Kind> kinds_;
  std::vector<std::pair<std::int64_t, Clock::time_point>> begun_;
  std::vector<std::pair<std::int64_t, std::vector<double>>> leads_;
};

static_assert(rc3::train::SumsLater<Counted>);

/// Bytes that @p interface of this network namespace has sent.
std::int64_t sent(const std::string& interface) {
  std::ifstream file("/proc/net/dev");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == line.npos || line.substr(0, colon).find(interface) == line.npos) continue;
    std::istringstream fields(line.substr(colon + 1));
    std::int64_t value = 0;
    for (int k = 0; k < 9; ++k) fields >> value;
    return value;
  }
  return 0;
}

/// Seconds of a sum of 8 bytes, and of one of 8 MB.
nlohmann::ordered_json probe(rc3::train::C10d& comm, std::int64_t times) {
  const auto measure = [&](std::int64_t bytes, std::int64_t count) {
    std::vector<double> all;
    for (std::int64_t k = 0; k < count; ++k) {
      auto t = at::ones({bytes / 4});
      const auto begin = Clock::now();
      comm.all_reduce(t);
      all.push_back(since(begin));
    }
    return median(all);
  };
  return {{"seconds_8_bytes", measure(8, 10 * times)}, {"seconds_8_MB", measure(8'000'000, times)}};
}

nlohmann::ordered_json train_alone(const Facts& f) {
  rc3::train::Trainer<Trained> trainer(trained(f), options(f));
  const auto b = batch(f, 0);
  std::vector<double> seconds;
  for (std::int64_t k = 0; k < f["warm_up"] + f["steps"]; ++k) {
    const auto begin = Clock::now();
    trainer.step(b);
    if (k >= f["warm_up"]) seconds.push_back(since(begin));
  }
  return described(f, 1, seconds);
}

/// Steps with the other ranks and steps of every rank for itself, in turns: what else this machine does meanwhile slows
/// down both.
nlohmann::ordered_json train_together(const Facts& f, const std::shared_ptr<Counted>& comm) {
  rc3::train::Trainer<Trained, Counted> together(trained(f), options(f), comm);
  rc3::train::Trainer<Trained> alone(trained(f), options(f));
  const auto b = batch(f, comm->rank());
  std::vector<double> seconds, compute;
  std::int64_t bytes = 0;
  for (std::int64_t k = 0; k < f["warm_up"] + f["steps"]; ++k) {
    if (k == f["warm_up"]) comm->take(1);
    comm->slowest(0);
    const auto before = sent(f.interface);
    auto begin = Clock::now();
    together.step(b);
    const auto step = comm->slowest(since(begin));
    const auto after = sent(f.interface);
    begin = Clock::now();
    alone.step(b);
    const auto own = comm->slowest(since(begin));
    if (k < f["warm_up"]) continue;
    seconds.push_back(step);
    compute.push_back(own);
    bytes += after - before;
  }
  auto out = described(f, comm->size(), seconds);
  out["compute_seconds"] = median(compute);
  out.update(comm->take(f["steps"]));
  if (!f.interface.empty()) out["interface_bytes"] = static_cast<double>(bytes) / static_cast<double>(f["steps"]);
  return out;
}

}  // namespace

}  // namespace bench::scaling

int bench::run_scaling(int argc, char** argv) try {
  using namespace scaling;
  const Facts facts({argv + 1, argv + argc});
  at::set_num_threads(static_cast<int>(facts["threads"]));
  if (facts["alone"] > 0) {
    std::cout << train_alone(facts) << std::endl;
    return 0;
  }
  auto comm = rc3::train::C10d::from_environment({.hostname = facts.hostname});
  const auto probed = facts["probes"] > 0 ? probe(comm, facts["probes"]) : nlohmann::ordered_json();
  const auto counted = std::make_shared<Counted>(std::move(comm));
  auto out = train_together(facts, counted);
  if (!probed.is_null()) out["probe"] = probed;
  if (counted->rank() == 0) std::cout << out << std::endl;
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
