#pragma once
/// Image-text retrieval head: ITC for the search, ITM for re-ranking.

#include <torch/nn/module.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/communicator.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/model/losses.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/gather.hpp"
#include "rc3/objective/itc.hpp"
#include "rc3/objective/itm.hpp"
#include "rc3/task/batch.hpp"

namespace rc3::task {

/// loss = ITC + ITM of the batch's images and texts. @tparam Host  with the members of rc3::Model
template <class Host>
class Matcher : public torch::nn::Module {
 public:
  using Batch = task::ExampleBatch;

  /// On the model's device.
  /// @param tau  initial temperature of ITC, >= 0.01
  explicit Matcher(std::shared_ptr<Host> model, double tau = 0.07)
      : model_(register_module("model", std::move(model))),
        itc_(register_module("itc", std::make_shared<objective::Itc>(tau))),
        itm_(register_module("itm", std::make_shared<objective::Itm>())) {
    to(nn::device_of(*model_));
  }

  static std::string name() { return type_name<Matcher>(); }
  static std::vector<std::string> objective_names() { return {"Itc", "Itm"}; }

  /// @pre image_ids and text_ids are known: equal images and texts are no negatives of each other
  /// @throws rc3::Error if one of both is missing
  Losses losses(const Batch& batch) {
    const auto pairs = pairs_of(batch);
    objective::ForwardCache<Host> forward(*model_, pairs);
    return sum(itc_->loss(forward), itm_->loss(forward));
  }

  /// This rank's share of the losses over the batches of all ranks. ITC uses all ranks' images and texts as negatives,
  /// as one rank with the whole batch would. ITM draws its negatives from this rank's, as in rc3::Pretrainer.
  /// @param batch  the same number of samples on every rank; equal ids mean equal images and texts across ranks too
  template <Communicator Comm>
  Losses losses(const Batch& batch, Comm& comm) {
    if (comm.size() == 1) return losses(batch);
    const auto pairs = pairs_of(batch);
    const auto whole = objective::gather_batch(comm, pairs.ids());
    objective::ForwardCache<Host> forward(*model_, pairs, whole, comm.rank() * pairs.size());
    return sum(objective::gathered_loss(comm, forward, *itc_), itm_->loss(forward) / static_cast<double>(comm.size()));
  }

  const std::shared_ptr<Host>& model() const { return model_; }

 private:
  static rc3::Batch pairs_of(const Batch& batch) {
    require(batch.image_ids.defined() && batch.text_ids.defined(),
            "task::Matcher: the batch does not say which images and texts are equal (image_ids, text_ids)");
    rc3::Batch pairs;
    pairs.images = batch.images;
    pairs.a = pairs.b = batch.texts;
    pairs.image_ids = batch.image_ids;
    pairs.caption_a_ids = pairs.caption_b_ids = batch.text_ids;
    return pairs;
  }

  static Losses sum(const at::Tensor& itc, const at::Tensor& itm) {
    return {itc + itm, {itc.template item<double>(), itm.template item<double>()}};
  }

  std::shared_ptr<Host> model_;
  std::shared_ptr<objective::Itc> itc_;
  std::shared_ptr<objective::Itm> itm_;
};

}  // namespace rc3::task
