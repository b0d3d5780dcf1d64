#pragma once
/// Curves in the terminal, drawn with braille dots: two by four dots a character.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "width.hpp"

namespace support {

/// A named line through points; points that are not finite are left out.
struct Curve {
  std::string name;
  std::vector<double> x, y;  ///< of equal length; x in rising order
};

struct ChartOptions {
  int width = 72;      ///< columns in all, 24 .. 400
  int height = 14;     ///< lines of the plot, without axis and legend, 3 .. 100
  bool color = false;  ///< one colour a curve, by escape codes; needed to tell several curves apart
  std::string x_label = "step";
};

namespace detail {

inline std::string short_number(double value) {
  char text[32];
  const double size = std::abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3))
    std::snprintf(text, sizeof text, "%.1e", value);
  else if (size >= 100 || value == std::floor(value))
    std::snprintf(text, sizeof text, "%.0f", value);
  else
    std::snprintf(text, sizeof text, size >= 10 ? "%.1f" : size >= 0.1 ? "%.2f" : "%.3f", value);
  return text;
}

struct Range {
  double low = INFINITY, high = -INFINITY;
  void add(double v) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  /// Never empty, so that a flat curve has a place.
  void open() {
    if (high > low) return;
    const double room = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= room;
    high += room;
  }
};

/// Dots of all curves; a cell remembers the last curve that touched it.
class Canvas {
 public:
  Canvas(int columns, int lines) : columns_(columns), lines_(lines), bits_(cells()), owner_(cells(), -1) {}
  int dots_x() const { return 2 * columns_; }
  int dots_y() const { return 4 * lines_; }
  void set(int x, int y, int curve) {
    static constexpr std::uint8_t bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    const auto cell = static_cast<std::size_t>(y / 4 * columns_ + x / 2);
    bits_[cell] = static_cast<std::uint8_t>(bits_[cell] | bit[y % 4][x % 2]);
    owner_[cell] = curve;
  }
  void line(int x0, int y0, int x1, int y1, int curve) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i)
      set(x0 + static_cast<int>(std::lround(double(x1 - x0) * i / steps)),
          y0 + static_cast<int>(std::lround(double(y1 - y0) * i / steps)), curve);
  }
  std::string row(int line, bool color) const {
    std::string out;
    for (int x = 0; x < columns_; ++x) {
      const auto cell = static_cast<std::size_t>(line * columns_ + x);
      if (bits_[cell] == 0) {
        out += ' ';
        continue;
      }
      const int code = 0x2800 + bits_[cell];
      const std::string dots = {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 63)),
                                static_cast<char>(0x80 | (code & 63))};
      out += color ? paint(dots, owner_[cell]) : dots;
    }
    return out;
  }
  static std::string paint(const std::string& text, int curve) {
    static constexpr int codes[] = {36, 33, 35, 32, 34, 31};
    return "\x1b[" + std::to_string(codes[curve % 6]) + "m" + text + "\x1b[0m";
  }

 private:
  std::size_t cells() const { return static_cast<std::size_t>(columns_ * lines_); }
  int columns_, lines_;
  std::vector<std::uint8_t> bits_;
  std::vector<int> owner_;
};

}  // namespace detail

/// Draws @p curves in one frame with numbers at both axes; a line of its own says when there is nothing to draw.
inline std::string chart(std::span<const Curve> curves, ChartOptions options = {}) {
  options.width = std::clamp(options.width, 24, 400);
  options.height = std::clamp(options.height, 3, 100);
  const auto points = [](const Curve& c) { return std::min(c.x.size(), c.y.size()); };
  const auto good = [](const Curve& c, std::size_t i) { return std::isfinite(c.x[i]) && std::isfinite(c.y[i]); };
  detail::Range xs, ys;
  for (const Curve& curve : curves)
    for (std::size_t i = 0; i < points(curve); ++i)
      if (good(curve, i)) xs.add(curve.x[i]), ys.add(curve.y[i]);
  if (xs.low > xs.high) return "(nothing to draw)\n";
  const detail::Range x_seen = xs;
  xs.open();
  ys.open();

  // Numbers stand at the top, at the bottom, and every fourth line between.
  std::vector<std::string> labels(static_cast<std::size_t>(options.height));
  int margin = 0;
  for (int line = 0; line < options.height; ++line) {
    if (line % 4 != 0 && line != options.height - 1) continue;
    if (line != options.height - 1 && options.height - 1 - line < 3) continue;  // too near the last one
    std::string& label = labels[static_cast<std::size_t>(line)];
    label = detail::short_number(ys.high - (ys.high - ys.low) * line / (options.height - 1));
    margin = std::max(margin, columns(label));
  }

  detail::Canvas canvas(options.width - margin - 2, options.height);
  const auto place = [](double v, const detail::Range& r, int dots) {
    return std::clamp(static_cast<int>(std::lround((v - r.low) / (r.high - r.low) * (dots - 1))), 0, dots - 1);
  };
  int number = 0;
  for (const Curve& curve : curves) {
    int last_x = -1, last_y = -1;
    for (std::size_t i = 0; i < points(curve); ++i) {
      if (!good(curve, i)) continue;
      const int x = place(curve.x[i], xs, canvas.dots_x());
      const int y = canvas.dots_y() - 1 - place(curve.y[i], ys, canvas.dots_y());
      canvas.line(last_x < 0 ? x : last_x, last_x < 0 ? y : last_y, x, y, number);
      last_x = x;
      last_y = y;
    }
    ++number;
  }

  std::string out;
  for (int line = 0; line < options.height; ++line) {
    const std::string& label = labels[static_cast<std::size_t>(line)];
    out += pad(label, margin, true) + (label.empty() ? " │" : " ┤") + canvas.row(line, options.color) + "\n";
  }
  out += std::string(static_cast<std::size_t>(margin), ' ') + " └";
  for (int i = 0; i < options.width - margin - 2; ++i) out += "─";
  const std::string left = detail::short_number(x_seen.low);
  const std::string right = detail::short_number(x_seen.high) + " " + options.x_label;
  out += "\n" + std::string(static_cast<std::size_t>(margin + 2), ' ') + left +
         pad(right, options.width - margin - 2 - columns(left), true) + "\n";
  std::string legend;
  number = 0;
  for (const Curve& curve : curves) {
    if (!curve.name.empty())
      legend += (legend.empty() ? "" : "   ") + (options.color ? detail::Canvas::paint("━━", number) : "━━") + " " +
                curve.name;
    ++number;
  }
  if (!legend.empty()) out += std::string(static_cast<std::size_t>(margin + 2), ' ') + legend + "\n";
  return out;
}

}  // namespace support
