// The one translation unit with stb's code. Everything of stb is static here; rc3 sees the three functions at the end.

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include "rc3/io/image/stb.hpp"

namespace {

// A budget for the decoder's memory. stb bounds an image by its header, but not what a PNG's data inflate to: a
// image of one pixel may ask for 4 GB. Each block is preceded by its size.
thread_local std::size_t budget = 0;
constexpr std::size_t head = alignof(std::max_align_t);

void* limited_malloc(std::size_t size) {
  if (size > budget) return nullptr;
  auto* block = static_cast<char*>(std::malloc(size + head));
  if (block == nullptr) return nullptr;
  budget -= size;
  std::memcpy(block, &size, sizeof size);
  return block + head;
}

void limited_free(void* pointer) {
  if (pointer == nullptr) return;
  char* block = static_cast<char*>(pointer) - head;
  std::size_t size = 0;
  std::memcpy(&size, block, sizeof size);
  budget += size;
  std::free(block);
}

void* limited_realloc(void* pointer, std::size_t old_size, std::size_t new_size) {
  void* fresh = limited_malloc(new_size);
  if (fresh == nullptr) return nullptr;
  if (pointer != nullptr) std::memcpy(fresh, pointer, old_size < new_size ? old_size : new_size);
  limited_free(pointer);
  return fresh;
}

}  // namespace

#define STBI_MALLOC(size) limited_malloc(size)
#define STBI_FREE(pointer) limited_free(pointer)
#define STBI_REALLOC_SIZED(pointer, old_size, new_size) limited_realloc(pointer, old_size, new_size)
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS 16384
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb_image.h>
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace rc3::io::detail {

const char* stb_info(const unsigned char* bytes, int size, int* width, int* height) {
  budget = std::size_t{1} << 20;  // a header needs the decoder's tables and no more
  int channels = 0;
  return stbi_info_from_memory(bytes, size, width, height, &channels) != 0 ? nullptr : stbi_failure_reason();
}

const char* stb_decode(const unsigned char* bytes, int size, std::size_t memory, Image& out) {
  budget = memory;
  int width = 0;
  int height = 0;
  int channels = 0;
  stbi_uc* pixels = stbi_load_from_memory(bytes, size, &width, &height, &channels, 4);
  if (pixels == nullptr) return stbi_failure_reason();
  const char* reason = nullptr;
  try {
    out.width = width;
    out.height = height;
    out.rgba.assign(pixels, pixels + static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4);
  } catch (const std::bad_alloc&) {
    reason = "out of memory";
  }
  stbi_image_free(pixels);
  return reason;
}

const char* stb_encode_png(const Image& image, std::string& out) {
  const auto append = [](void* context, void* data, int size) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
  };
  const int stride = image.width * 4;
  return stbi_write_png_to_func(append, &out, image.width, image.height, 4, image.rgba.data(), stride) != 0
             ? nullptr
             : "cannot encode";
}

}  // namespace rc3::io::detail
