#pragma once
/// TensorBoard event files, for `tensorboard --logdir`. LibTorch-free.

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/io/crc32c.hpp"
#include "rc3/io/file.hpp"

namespace rc3::train {

namespace detail {

/// Minimal encoder of protocol buffers for events.
class Message {
 public:
  Message& varint(int field, std::uint64_t value) {
    raw_varint(static_cast<std::uint64_t>(field) << 3);
    raw_varint(value);
    return *this;
  }
  Message& number(int field, double value) { return fixed(field, 1, std::bit_cast<std::uint64_t>(value)); }
  Message& number(int field, float value) { return fixed(field, 5, std::bit_cast<std::uint32_t>(value)); }
  Message& bytes(int field, std::string_view value) {
    raw_varint(static_cast<std::uint64_t>(field) << 3 | 2);
    raw_varint(value.size());
    out_.append(value);
    return *this;
  }
  const std::string& text() const { return out_; }

 private:
  void raw_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  template <class Bits>
  Message& fixed(int field, int wire, Bits bits) {
    raw_varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire));
    for (std::size_t i = 0; i < sizeof bits; ++i) out_ += static_cast<char>(bits >> (8 * i));
    return *this;
  }

  std::string out_;
};

}  // namespace detail

/// A file of events. Each event is written immediately, so that a killed run loses none.
class EventFile {
 public:
  using Clock = std::function<double()>;  ///< seconds since 1970

  /// @param folder  created if missing; a resumed run adds a file to the earlier ones
  /// @param step    of the first event; if above 0, TensorBoard drops points of earlier files from this step on
  /// @throws rc3::Error if the file cannot be written
  explicit EventFile(const std::filesystem::path& folder, std::int64_t step = 0, Clock clock = now)
      : clock_(std::move(clock)) {
    io::make_folder(folder);
    const auto time = static_cast<std::int64_t>(clock_());
    for (int k = 0; file_.get() < 0; ++k) {  // an existing file belongs to another run
      path_ = folder / join("events.out.tfevents.", time, ".rc3.", ::getpid(), '.', k);
      file_ = io::Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666));
      require(file_.get() >= 0 || errno == EEXIST, path_.string(), ": cannot write: ", std::strerror(errno));
    }
    write(event(0).bytes(3, "brain.Event:2"));
    if (step > 0) write(event(step).bytes(7, detail::Message().varint(1, 1).text()));  // SessionLog: START
  }

  /// A point of the curve @p tag, for example "loss/RXvtcl". @param step  >= 0
  /// @throws rc3::Error for an empty tag, a negative step, or if the file cannot be written
  void scalar(std::string_view tag, std::int64_t step, double value) {
    require(!tag.empty() && step >= 0, "train::EventFile: a scalar needs a tag and a step >= 0");
    const auto point = detail::Message().bytes(1, tag).number(2, static_cast<float>(value));
    write(event(step).bytes(5, detail::Message().bytes(1, point.text()).text()));
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  static double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  detail::Message event(std::int64_t step) const {
    detail::Message message;
    message.number(1, clock_());
    if (step > 0) message.varint(2, static_cast<std::uint64_t>(step));
    return message;
  }

  /// A record of TFRecord: length, its checksum, data, its checksum.
  void write(const detail::Message& message) {
    const auto little = [](std::uint64_t value, int bytes) {
      std::string out;
      for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
      return out;
    };
    const auto checksum = [&](std::string_view bytes) {
      const std::uint32_t crc = io::crc32c(bytes);
      return little(((crc >> 15 | crc << 17) + 0xA282EAD8u) & 0xFFFFFFFFu, 4);
    };
    const std::string length = little(message.text().size(), 8);
    const std::string record = length + checksum(length) + message.text() + checksum(message.text());
    for (std::size_t done = 0; done < record.size();) {
      const ssize_t n = ::write(file_.get(), record.data() + done, record.size() - done);
      if (n < 0 && errno == EINTR) continue;
      require(n > 0, path_.string(), ": cannot write: ", std::strerror(errno));
      done += static_cast<std::size_t>(n);
    }
  }

  Clock clock_;
  std::filesystem::path path_;
  io::Descriptor file_;
};

}  // namespace rc3::train
