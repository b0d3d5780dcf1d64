#pragma once
/// Line charts as SVG, without libraries or scripts: any future browser can show a report. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"

namespace rc3::train::report {

/// @p text escaped for HTML and its attributes.
inline std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

/// A line of a Chart.
struct Series {
  std::string name;          ///< in the legend, if there are several
  std::vector<double> x, y;  ///< of equal size; a y that is not finite makes a gap
};

/// A line chart of the report.
struct Chart {
  std::string title;
  std::vector<Series> series;
  bool logarithmic = false;  ///< the y axis; values <= 0 are then gaps
  bool smoothed = false;     ///< draws an average over about 2 % of the points, and the raw values in a faint colour
};

/// Round numbers in [low, high]: steps of 1, 2 or 5 times a power of ten, at most @p most of them. @pre low < high
inline std::vector<double> ticks(double low, double high, int most = 6) {
  double step = std::pow(10, std::floor(std::log10((high - low) / most)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0})
    if ((high - low) / (step * factor) < most) {
      step *= factor;
      break;
    }
  std::vector<double> all;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k)
    all.push_back(k == 0 ? 0 : k * step);
  return all;
}

/// Short form of a number: "0.002", "1.5k", "2e-07".
inline std::string short_number(double x) {
  char text[32];
  const double size = std::abs(x);
  if (size >= 1e6 && size < 1e9)
    std::snprintf(text, sizeof text, "%.4gM", x / 1e6);
  else if (size >= 1e3 && size < 1e6)
    std::snprintf(text, sizeof text, "%.4gk", x / 1e3);
  else
    std::snprintf(text, sizeof text, "%.4g", x);
  return text;
}

/// Minimum and maximum of each of @p columns intervals, in order, so that every spike stays visible.
inline Series thinned(const Series& series, std::size_t columns) {
  if (series.x.size() <= 2 * columns) return series;
  Series out{series.name, {}, {}};
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t begin = c * series.x.size() / columns, end = (c + 1) * series.x.size() / columns;
    std::size_t low = begin, high = begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (!std::isfinite(series.y[i])) low = high = i;  // preserves a gap
      if (!std::isfinite(series.y[low])) break;
      if (series.y[i] < series.y[low]) low = i;
      if (series.y[i] > series.y[high]) high = i;
    }
    for (const std::size_t i : {std::min(low, high), std::max(low, high)}) {
      out.x.push_back(series.x[i]);
      out.y.push_back(series.y[i]);
      if (low == high) break;
    }
  }
  return out;
}

/// Exponential average over @p span points, with bias correction at the start.
inline Series average(const Series& series, double span) {
  Series out{series.name, series.x, {}};
  const double keep = 1 - 1 / std::max(span, 1.0);
  double sum = 0, weight = 0;
  for (const double y : series.y) {
    if (std::isfinite(y)) {
      sum = keep * sum + (1 - keep) * y;
      weight = keep * weight + (1 - keep);
    }
    out.y.push_back(std::isfinite(y) && weight > 0 ? sum / weight : y);
  }
  return out;
}

/// Renderer of charts with one size.
class Drawing {
 public:
  /// Size of the drawing and its margins, pixels.
  static constexpr double width = 640, height = 260, left = 58, right = 14, top = 12, bottom = 30;

  /// @param chart  outlives this
  /// @throws rc3::Error for a series with another number of x than of y
  explicit Drawing(const Chart& chart) : chart_(chart) {
    for (const Series& s : chart.series) {
      require(s.x.size() == s.y.size(), "report::Chart: series ", s.name, " has ", s.x.size(), " x and ", s.y.size(),
              " y");
      for (std::size_t i = 0; i < s.x.size(); ++i)
        if (shown(s.y[i])) {
          x_ = {std::min(x_.first, s.x[i]), std::max(x_.second, s.x[i])};
          y_ = {std::min(y_.first, scaled(s.y[i])), std::max(y_.second, scaled(s.y[i]))};
        }
    }
    if (x_.first > x_.second) x_ = {0, 1}, y_ = {0, 1};
    if (x_.first == x_.second) x_.second += 1;
    const double margin = y_.first == y_.second ? 0.5 : 0.04 * (y_.second - y_.first);
    y_ = {y_.first - margin, y_.second + margin};
  }

  std::string svg() const {
    std::string out =
        join("<svg viewBox=\"0 0 ", width, ' ', height, "\" role=\"img\" aria-label=\"", escaped(chart_.title), "\">");
    out += "<g class=\"grid\">";
    for (const double tick : ticks(y_.first, y_.second, 5)) out += line(left, at_y(tick), width - right, at_y(tick));
    out += "</g><g class=\"label\">";
    for (const double tick : ticks(y_.first, y_.second, 5))
      out += text(left - 8, at_y(tick) + 4, "end", short_number(chart_.logarithmic ? std::pow(10, tick) : tick));
    for (const double tick : ticks(x_.first, x_.second, 7))
      out += text(at_x(tick), height - 8, "middle", short_number(tick));
    out += "</g>";
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const Series& s = chart_.series[i];
      const double span = 0.02 * static_cast<double>(s.x.size());
      if (chart_.smoothed && span > 2)
        out += path(s, i, "raw") + path(average(s, span), i, "curve");
      else
        out += path(s, i, "curve");
    }
    return out + "</svg>";
  }

 private:
  bool shown(double y) const { return std::isfinite(y) && (!chart_.logarithmic || y > 0); }
  double scaled(double y) const { return chart_.logarithmic ? std::log10(y) : y; }
  double at_x(double x) const { return left + (x - x_.first) / (x_.second - x_.first) * (width - left - right); }
  double at_y(double y) const {
    return height - bottom - (y - y_.first) / (y_.second - y_.first) * (height - top - bottom);
  }

  static std::string coordinate(double v) {
    char text[24];
    std::snprintf(text, sizeof text, "%.1f", v);
    return text;
  }
  static std::string line(double x1, double y1, double x2, double y2) {
    return "<line x1=\"" + coordinate(x1) + "\" y1=\"" + coordinate(y1) + "\" x2=\"" + coordinate(x2) + "\" y2=\"" +
           coordinate(y2) + "\"/>";
  }
  static std::string text(double x, double y, const char* anchor, const std::string& what) {
    return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"" + anchor + "\">" +
           escaped(what) + "</text>";
  }

  std::string path(const Series& all, std::size_t index, const char* kind) const {
    const Series s = thinned(all, static_cast<std::size_t>(width - left - right));
    std::string d;
    bool down = false;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!shown(s.y[i])) {
        down = false;
        continue;
      }
      d += (down ? "L" : "M") + coordinate(at_x(s.x[i])) + ' ' + coordinate(at_y(scaled(s.y[i])));
      down = true;
    }
    return join("<path class=\"", kind, " c", index % 6, "\" d=\"", d, "\"/>");
  }

  const Chart& chart_;
  std::pair<double, double> x_{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()},
      y_ = x_;
};

}  // namespace rc3::train::report
