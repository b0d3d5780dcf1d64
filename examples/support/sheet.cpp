#include "sheet.hpp"

#include <pango/pangocairo.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <numbers>

#include "rc3/core/error.hpp"

namespace support {
namespace {

struct Free {
  void operator()(cairo_t* p) const { cairo_destroy(p); }
  void operator()(cairo_surface_t* p) const { cairo_surface_destroy(p); }
  void operator()(PangoFontDescription* p) const { pango_font_description_free(p); }
  void operator()(PangoLayout* p) const { g_object_unref(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

struct Color {
  double r, g, b;
};
constexpr Color ink{0.11, 0.12, 0.15};
constexpr Color grey{0.47, 0.49, 0.53};
constexpr Color line{0.89, 0.90, 0.92};
constexpr Color green{0.09, 0.64, 0.34};

// Layout pixels.
constexpr double margin = 44;
constexpr double text_width = 290;
constexpr double text_gap = 34;
constexpr double tile = 124;
constexpr double tile_gap = 20;
constexpr double score_height = 26;
constexpr double row_gap = 34;
constexpr double corner = 10;

/// Draws on a surface, or measures on a recording one.
class Pen {
 public:
  explicit Pen(cairo_surface_t* surface) : cairo_(cairo_create(surface)) {}
  cairo_t* get() { return cairo_.get(); }
  void color(const Color& c) { cairo_set_source_rgb(get(), c.r, c.g, c.b); }

  /// A laid-out paragraph. @param width  layout pixels, it wraps there; <= 0: it does not
  Owned<PangoLayout> layout(const std::string& text, double size, bool bold, double width) {
    Owned<PangoLayout> out(pango_cairo_create_layout(get()));
    Owned<PangoFontDescription> font(pango_font_description_new());
    pango_font_description_set_family_static(font.get(), "Noto Sans, sans-serif");
    pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
    pango_font_description_set_weight(font.get(), bold ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(out.get(), font.get());
    pango_layout_set_text(out.get(), text.data(), static_cast<int>(text.size()));
    if (width > 0) {
      pango_layout_set_width(out.get(), static_cast<int>(width * PANGO_SCALE));
      pango_layout_set_wrap(out.get(), PANGO_WRAP_WORD_CHAR);
      pango_layout_set_height(out.get(), -2);  // two lines, then an ellipsis
      pango_layout_set_ellipsize(out.get(), PANGO_ELLIPSIZE_END);
      // Pango swaps left and right in right-to-left text; here every language starts its column at the same edge.
      const bool from_right = pango_layout_get_direction(out.get(), 0) == PANGO_DIRECTION_RTL;
      pango_layout_set_alignment(out.get(), from_right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    }
    return out;
  }

  static double height(PangoLayout* layout) {
    int h = 0;
    pango_layout_get_pixel_size(layout, nullptr, &h);
    return h;
  }

  void show(PangoLayout* layout, double x, double y, const Color& c) {
    color(c);
    cairo_move_to(get(), x, y);
    pango_cairo_show_layout(get(), layout);
  }

  void centered(const std::string& text, double size, bool bold, double middle, double y, const Color& c) {
    const auto laid = layout(text, size, bold, 0);
    int w = 0;
    pango_layout_get_pixel_size(laid.get(), &w, nullptr);
    show(laid.get(), middle - w / 2.0, y, c);
  }

  void rounded(double x, double y, double w, double h, double r) {
    const double quarter = std::numbers::pi / 2;
    cairo_new_sub_path(get());
    cairo_arc(get(), x + w - r, y + r, r, -quarter, 0);
    cairo_arc(get(), x + w - r, y + h - r, r, 0, quarter);
    cairo_arc(get(), x + r, y + h - r, r, quarter, 2 * quarter);
    cairo_arc(get(), x + r, y + r, r, 2 * quarter, 3 * quarter);
    cairo_close_path(get());
  }

 private:
  Owned<cairo_t> cairo_;
};

Owned<cairo_surface_t> make_surface(const SheetImage& image) {
  rc3::require(
      image.width > 0 && image.height > 0 &&
          image.rgb.size() == static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3,
      "write_sheet: an image of ", image.width, "x", image.height, " pixels with ", image.rgb.size(), " bytes");
  Owned<cairo_surface_t> out(cairo_image_surface_create(CAIRO_FORMAT_RGB24, image.width, image.height));
  rc3::require(cairo_surface_status(out.get()) == CAIRO_STATUS_SUCCESS, "write_sheet: no memory for an image of ",
               image.width, "x", image.height, " pixels");
  cairo_surface_flush(out.get());
  unsigned char* base = cairo_image_surface_get_data(out.get());
  const int stride = cairo_image_surface_get_stride(out.get());
  const std::uint8_t* in = image.rgb.data();
  for (int y = 0; y < image.height; ++y) {
    auto* row = reinterpret_cast<std::uint32_t*>(base + std::ptrdiff_t{y} * stride);
    for (int x = 0; x < image.width; ++x, in += 3)
      row[x] = static_cast<std::uint32_t>(in[0]) << 16 | static_cast<std::uint32_t>(in[1]) << 8 | in[2];
  }
  cairo_surface_mark_dirty(out.get());
  return out;
}

void draw_tile(Pen& pen, const SheetImage& image, double x, double y) {
  const auto surface = make_surface(image);
  cairo_t* cairo = pen.get();
  cairo_save(cairo);
  pen.rounded(x, y, tile, tile, corner);
  cairo_clip(cairo);
  pen.color({1, 1, 1});
  cairo_paint(cairo);
  const double zoom = tile / std::max(image.width, image.height);
  cairo_translate(cairo, x + (tile - image.width * zoom) / 2, y + (tile - image.height * zoom) / 2);
  cairo_scale(cairo, zoom, zoom);
  cairo_set_source_surface(cairo, surface.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_BEST);
  cairo_paint(cairo);
  cairo_restore(cairo);

  // The frame lies outside the image: it must not cover what it points at.
  const double thick = image.right ? 4 : 1;
  pen.rounded(x - thick / 2, y - thick / 2, tile + thick, tile + thick, corner + thick / 2);
  pen.color(image.right ? green : line);
  cairo_set_line_width(cairo, thick);
  cairo_stroke(cairo);
  char score[32];
  std::snprintf(score, sizeof score, "%.2f", image.score);
  pen.centered(score, 13, image.right, x + tile / 2, y + tile + 6, image.right ? green : grey);
}

void draw_texts(Pen& pen, const SheetRow& row, double y) {
  const auto language = pen.layout(row.language, 13, false, text_width);
  const auto query = pen.layout(row.query, 22, true, text_width);
  const auto gloss = pen.layout(row.gloss, 14, false, text_width);
  const double gap = 5;
  const double total = Pen::height(language.get()) + gap + Pen::height(query.get()) +
                       (row.gloss.empty() ? 0 : gap + Pen::height(gloss.get()));
  y += std::max(0.0, (tile - total) / 2);
  pen.show(language.get(), margin, y, grey);
  y += Pen::height(language.get()) + gap;
  pen.show(query.get(), margin, y, ink);
  y += Pen::height(query.get()) + gap;
  if (!row.gloss.empty()) pen.show(gloss.get(), margin, y, grey);
}

}  // namespace

void write_sheet(const std::filesystem::path& path, const std::string& title, std::span<const SheetRow> rows,
                 const SheetOptions& options) {
  rc3::require(!rows.empty(), "write_sheet: there are no rows");
  rc3::require(options.scale >= 0.5 && options.scale <= 8, "write_sheet: scale must be 0.5 .. 8, is ", options.scale);
  std::size_t tiles = 1;
  for (const SheetRow& row : rows) tiles = std::max(tiles, row.images.size());

  const double tiles_x = margin + text_width + text_gap;
  const double width = tiles_x + static_cast<double>(tiles) * (tile + tile_gap) - tile_gap + margin;
  const double head = margin + 36 + (options.subtitle.empty() ? 0 : 24) + 44;
  const double step = tile + score_height + row_gap;
  const double height = head + static_cast<double>(rows.size()) * step - row_gap + margin - 10;

  Owned<cairo_surface_t> surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                                            static_cast<int>(std::lround(width * options.scale)),
                                                            static_cast<int>(std::lround(height * options.scale))));
  rc3::require(cairo_surface_status(surface.get()) == CAIRO_STATUS_SUCCESS, "write_sheet: no sheet of ", width, "x",
               height, " times ", options.scale, " pixels: ", rows.size(), " rows are too many");
  Pen pen(surface.get());
  cairo_scale(pen.get(), options.scale, options.scale);
  pen.color({1, 1, 1});
  cairo_paint(pen.get());

  pen.show(pen.layout(title, 26, true, 0).get(), margin, margin - 8, ink);
  if (!options.subtitle.empty()) pen.show(pen.layout(options.subtitle, 15, false, 0).get(), margin, margin + 30, grey);
  for (std::size_t i = 0; i < tiles; ++i)
    pen.centered(std::to_string(i + 1), 13, false, tiles_x + static_cast<double>(i) * (tile + tile_gap) + tile / 2,
                 head - 28, grey);

  double y = head;
  for (const SheetRow& row : rows) {
    if (y > head) {
      pen.color(line);
      cairo_set_line_width(pen.get(), 1);
      cairo_move_to(pen.get(), margin, y - row_gap / 2 + 2);
      cairo_line_to(pen.get(), width - margin, y - row_gap / 2 + 2);
      cairo_stroke(pen.get());
    }
    draw_texts(pen, row, y);
    for (std::size_t i = 0; i < row.images.size(); ++i)
      draw_tile(pen, row.images[i], tiles_x + static_cast<double>(i) * (tile + tile_gap), y);
    y += step;
  }

  cairo_surface_flush(surface.get());
  const cairo_status_t status = cairo_surface_write_to_png(surface.get(), path.c_str());
  rc3::require(status == CAIRO_STATUS_SUCCESS, path.string(), ": cannot write: ", cairo_status_to_string(status));
}

bool fonts_cover(const std::string& text) {
  Owned<cairo_surface_t> surface(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1));
  Pen pen(surface.get());
  return pango_layout_get_unknown_glyphs_count(pen.layout(text, 22, true, 0).get()) == 0;
}

}  // namespace support
