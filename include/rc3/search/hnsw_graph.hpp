#pragma once
/// Graph of hnswlib over the vectors of a table, and its form in a file. For hnsw.hpp.
///
/// | tensor | type | content |
/// |---|---|---|
/// | graph_slots | I64 [E] | row of each element, or -1 - b: vector b of graph_buried |
/// | graph_buried | F32 [B, D] | vectors that were removed |
/// | graph_links | U32 | links, build_width, entry; then for each element: level, and for each layer: count, elements |

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/search/index_file.hpp"
#include "rc3/search/screen.hpp"
#include "rc3/search/top_k.hpp"

// hnswlib 0.6 defines functions, not inline, beside its own distances, which are not used here.
#ifndef NO_MANUAL_VECTORIZATION
#define NO_MANUAL_VECTORIZATION
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

namespace rc3::search::detail {

/// Checked content of a file's graph.
struct HnswContent {
  std::uint32_t links = 0, build_width = 0, entry = 0;
  std::vector<std::int64_t> slots;
  std::vector<float> buried;
  std::vector<std::vector<std::span<const std::uint32_t>>> layers;  ///< elements linked, by element and layer
  std::vector<std::uint32_t> numbers;                               ///< what the spans refer to

  /// @throws rc3::Error naming @p file and the tensor, unless hnswlib can search it without a further check
  static HnswContent of(const IndexContent& content, std::size_t rows, std::string_view file) {
    HnswContent graph;
    const auto tensor = [&](const char* name, io::safetensors::Dtype dtype, auto& values) {
      const auto found = std::find_if(content.tensors.begin(), content.tensors.end(),
                                      [&](const IndexTensor& t) { return t.name == name; });
      require(found != content.tensors.end() && found->dtype == dtype, file, ": tensor \"", name,
              "\" is missing or no ", dtype_name(dtype), "; make the index again");
      values.resize(found->bytes.size() / sizeof values[0]);
      if (!values.empty()) std::memcpy(values.data(), found->bytes.data(), values.size() * sizeof values[0]);
    };
    tensor("graph_slots", io::safetensors::Dtype::i64, graph.slots);
    tensor("graph_buried", io::safetensors::Dtype::f32, graph.buried);
    tensor("graph_links", io::safetensors::Dtype::u32, graph.numbers);
    const auto right = [&](bool is, const char* name, const auto&... what) {
      if (!is) fail(file, ": tensor \"", name, "\": ", what..., "; make the index again");
    };
    const auto dimension = static_cast<std::size_t>(content.dimension);
    const std::size_t count = graph.slots.size(), buried = graph.buried.size() / dimension;
    right(graph.buried.size() % dimension == 0 && count == rows + buried && count < max_elements, "graph_slots", "has ",
          count, " elements, for ", rows, " vectors and ", buried, " removed ones");
    std::vector<bool> seen(count, false);
    for (const std::int64_t slot : graph.slots) {
      const auto place = slot >= 0 ? static_cast<std::uint64_t>(slot) : rows + ~static_cast<std::uint64_t>(slot);
      right(place < count && (slot < 0 || place < rows) && !seen[place], "graph_slots", "the slot ", slot,
            " is out of range or there twice");
      seen[place] = true;
    }
    for (const float x : graph.buried) right(std::isfinite(x), "graph_buried", "a number is not finite");
    graph.read_links(right);
    return graph;
  }

  static constexpr std::size_t max_elements = std::numeric_limits<std::int32_t>::max();

 private:
  template <class Right>
  void read_links(const Right& right) {
    const char* name = "graph_links";
    right(numbers.size() >= 3, name, "is too short");
    links = numbers[0];
    build_width = numbers[1];
    entry = numbers[2];
    right(links >= 2 && links <= 128 && build_width >= links && build_width <= 4096, name, "has the options ", links,
          " and ", build_width);
    std::size_t at = 3;
    const auto next = [&] {
      right(at < numbers.size(), name, "is too short");
      return numbers[at++];
    };
    layers.resize(slots.size());
    std::size_t top = 0;
    for (auto& element : layers) {
      const std::size_t level = next();
      right(level < max_layers, name, "a level is ", level);
      top = std::max(top, level);
      for (std::size_t layer = 0; layer <= level; ++layer) {
        const std::size_t size = next();
        right(size <= (layer == 0 ? 2 : 1) * links && size <= numbers.size() - at, name, "an element has ", size,
              " links");
        element.emplace_back(numbers.data() + at, size);
        at += size;
      }
    }
    right(at == numbers.size(), name, "is too long");
    right(slots.empty() || (entry < slots.size() && layers[entry].size() == top + 1), name, "the entry ", entry,
          " is not in the top layer");
    for (const auto& element : layers)
      for (std::size_t layer = 0; layer < element.size(); ++layer)
        for (const std::uint32_t other : element[layer])
          right(other < slots.size() && layers[other].size() > layer, name, "a link to ", other,
                ", which is not in the layer");
  }

  static constexpr std::size_t max_layers = 64;
};

/// Elements of the graph are numbered as they are added. An element has a slot: a row of the table, or the place of a
/// removed vector.
class HnswGraph {
 public:
  HnswGraph(std::size_t dimension, std::size_t links, std::size_t build_width)
      : space_(std::make_unique<Space>(dimension)),
        graph_(std::make_unique<Graph>(space_.get(), first_size, links, build_width)) {}

  /// Rows of slots are those of @p table until the next call.
  void attach(const VectorTable& table) { space_->table = table; }

  std::size_t size() const { return graph_->cur_element_count; }
  std::size_t buried() const { return space_->buried.size() / space_->table.dimension; }

  void reserve(std::size_t size) {
    require(size < HnswContent::max_elements, "search::Hnsw: more than ", HnswContent::max_elements, " vectors");
    if (size > graph_->max_elements_) graph_->resizeIndex(size);
  }

  std::uint32_t add(std::int64_t slot) {
    const std::size_t element = size();
    if (element == graph_->max_elements_) reserve(2 * element);
    // The layer depends on the number of the element, so that a saved graph grows as the one in memory.
    graph_->level_generator_.seed(static_cast<unsigned>(Random(element)() >> 33));
    graph_->addPoint(&slot, element);
    return static_cast<std::uint32_t>(element);
  }

  /// Keeps the vector of @p row, which leaves the table, for searches that pass it.
  void bury(std::uint32_t element, std::size_t row) {
    const auto place = static_cast<std::int64_t>(buried());
    const std::vector<float> vector = space_->copy(row);
    space_->buried.insert(space_->buried.end(), vector.begin(), vector.end());
    set_slot(element, -1 - place);
  }

  void set_slot(std::uint32_t element, std::int64_t slot) {
    std::memcpy(graph_->getDataByInternalId(element), &slot, sizeof slot);
  }

  /// Slots of the elements closest to @p query, a unit vector, in no order: at most @p width.
  std::vector<std::int64_t> nearest(const VectorTable& table, const float* query, std::size_t width) const {
    const Query wanted{Query::mark, query, &table};
    auto found = graph_->searchKnn(&wanted, width);
    std::vector<std::int64_t> slots;
    for (; !found.empty(); found.pop()) slots.push_back(slot_of(static_cast<std::uint32_t>(found.top().second)));
    return slots;
  }

  /// @param order  row of each vector of the file
  std::vector<IndexTensor> tensors(const VectorTable& table, std::span<const std::size_t> order, std::uint32_t links,
                                   std::uint32_t build_width) const {
    using io::safetensors::Dtype;
    std::vector<std::int64_t> place(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<std::int64_t>(i);
    std::vector<std::int64_t> slots;
    std::vector<std::uint32_t> numbers{links, build_width, size() == 0 ? 0 : graph_->enterpoint_node_};
    for (std::uint32_t e = 0; e < size(); ++e) {
      const std::int64_t slot = slot_of(e);
      slots.push_back(slot < 0 ? slot : place[static_cast<std::size_t>(slot)]);
      numbers.push_back(static_cast<std::uint32_t>(graph_->element_levels_[e]));
      for (int layer = 0; layer <= graph_->element_levels_[e]; ++layer) {
        auto* list = graph_->get_linklist_at_level(e, layer);
        const std::uint32_t count = graph_->getListCount(list);
        numbers.push_back(count);
        numbers.insert(numbers.end(), list + 1, list + 1 + count);
      }
    }
    const auto tensor = [](const char* name, Dtype dtype, std::vector<std::int64_t> shape, const auto& values) {
      const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
      return IndexTensor{name, dtype, std::move(shape), {bytes, bytes + values.size() * sizeof values[0]}};
    };
    const auto d = static_cast<std::int64_t>(table.dimension);
    return {tensor("graph_slots", Dtype::i64, {std::ssize(slots)}, slots),
            tensor("graph_buried", Dtype::f32, {std::ssize(space_->buried) / d, d}, space_->buried),
            tensor("graph_links", Dtype::u32, {std::ssize(numbers)}, numbers)};
  }

  /// Fills a new graph. @param content  of the same number of links
  void restore(const HnswContent& content) {
    reserve(std::max(content.slots.size(), first_size));
    space_->buried = content.buried;
    for (std::uint32_t e = 0; e < content.slots.size(); ++e) {
      const auto& layers = content.layers[e];
      std::memset(graph_->data_level0_memory_ + e * graph_->size_data_per_element_, 0, graph_->size_data_per_element_);
      graph_->setExternalLabel(e, e);
      graph_->label_lookup_[e] = e;
      set_slot(e, content.slots[e]);
      if (layers.size() > 1) {
        graph_->linkLists_[e] = static_cast<char*>(std::calloc(graph_->size_links_per_element_, layers.size()));
        if (graph_->linkLists_[e] == nullptr) throw std::bad_alloc();
      }
      graph_->element_levels_[e] = static_cast<int>(layers.size()) - 1;
      graph_->cur_element_count = e + 1;  // frees what is there if the next one fails
      for (int layer = 0; layer < static_cast<int>(layers.size()); ++layer) {
        auto* list = graph_->get_linklist_at_level(e, layer);
        const auto& links = layers[static_cast<std::size_t>(layer)];
        graph_->setListCount(list, static_cast<unsigned short>(links.size()));
        std::copy(links.begin(), links.end(), list + 1);
      }
    }
    if (content.slots.empty()) return;
    graph_->enterpoint_node_ = content.entry;
    graph_->maxlevel_ = graph_->element_levels_[content.entry];
  }

 private:
  using Graph = hnswlib::HierarchicalNSW<float>;
  static constexpr std::size_t first_size = 1024;

  /// What hnswlib searches for, in place of the slot of an element.
  struct Query {
    static constexpr std::int64_t mark = std::numeric_limits<std::int64_t>::min();
    std::int64_t slot;
    const float* values;
    const VectorTable* table;
  };

  /// hnswlib's view of the vectors: an element's data are its slot.
  struct Space : hnswlib::SpaceInterface<float> {
    explicit Space(std::size_t dimension) { table.dimension = dimension; }
    std::size_t get_data_size() override { return sizeof(std::int64_t); }
    hnswlib::DISTFUNC<float> get_dist_func() override { return &Space::distance; }
    void* get_dist_func_param() override { return this; }

    static float distance(const void* a, const void* b, const void* self) {
      const auto& space = *static_cast<const Space*>(self);
      std::int64_t from = 0, to = 0;
      std::memcpy(&from, a, sizeof from);
      std::memcpy(&to, b, sizeof to);
      if (from == Query::mark) {
        const auto& query = *static_cast<const Query*>(a);
        return -space.product(*query.table, query.values, to);
      }
      if (from < 0) return -space.product(space.table, space.grave(from), to);
      const auto row = static_cast<std::size_t>(from);
      if (space.table.storage == Storage::float32)
        return -space.product(space.table,
                              reinterpret_cast<const float*>(space.table.vectors) + row * space.table.dimension, to);
      thread_local std::vector<float> unpacked;
      unpacked = space.copy(row);
      return -space.product(space.table, unpacked.data(), to);
    }

    const float* grave(std::int64_t slot) const {
      return buried.data() + static_cast<std::size_t>(-1 - slot) * table.dimension;
    }
    /// Unit vector of a row.
    std::vector<float> copy(std::size_t row) const { return vector_of(table, row); }

    float product(const VectorTable& of, const float* query, std::int64_t slot) const {
      if (slot < 0) return detail::product(grave(slot), query, of.dimension);
      const auto row = static_cast<std::size_t>(slot);
      return with_elements(of.storage, of.vectors, [&](const auto* elements) {
        return detail::product(elements + row * of.dimension, query, of.dimension) *
               (of.scales.empty() ? 1.0f : of.scales[row]);
      });
    }

    VectorTable table;
    std::vector<float> buried;
  };

  std::int64_t slot_of(std::uint32_t element) const {
    std::int64_t slot = 0;
    std::memcpy(&slot, graph_->getDataByInternalId(element), sizeof slot);
    return slot;
  }

  std::unique_ptr<Space> space_;  ///< before the graph, which refers to it
  std::unique_ptr<Graph> graph_;
};

}  // namespace rc3::search::detail
