#include "api.hpp"

#include <rc3/core/blank.hpp>
#include <rc3/core/digits.hpp>
#include <rc3/core/error.hpp>
#include <rc3/core/utf8.hpp>
#include <rc3/io/crc32c.hpp>
#include <rc3/search/rerank.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "rc3/json_line.hpp"
#include "rc3/serve/assets.hpp"

namespace tool::serve {

namespace {

constexpr const char* gone = "the file of this photograph is gone; run rc3 index again";
constexpr const char* unreadable =
    "the file of this photograph cannot be read as an image any more; run rc3 index again";

/// Reply instead of a result.
struct Refused {
  int status;
  std::string message;
};

template <class... Parts>
[[noreturn]] void refuse(int status, const Parts&... parts) {
  throw Refused{status, rc3::join(parts...)};
}

/// Result of @p compute, where every error is in the request.
template <class Compute>
auto of_request(const Compute& compute) {
  try {
    return compute();
  } catch (const rc3::Error& error) {
    refuse(400, error.what());
  }
}

std::optional<std::string> parameter(const Request& request, const char* name) {
  const auto found = request.parameters.find(name);
  if (found == request.parameters.end()) return {};
  return found->second;
}

std::int64_t number(const Request& request, const char* name, std::int64_t missing, std::int64_t least,
                    std::int64_t most) {
  const auto text = parameter(request, name);
  if (!text) return missing;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < least || value > most)
    refuse(400, name, " must be a whole number from ", least, " to ", most);
  return value;
}

void allow_parameters(const Request& request, const std::set<std::string_view>& known) {
  std::string all;
  for (const auto name : known) all += (all.empty() ? "" : ", ") + std::string(name);
  for (const auto& [name, value] : request.parameters) {
    if (!known.contains(name))
      refuse(400, "unknown parameter ", rc3::valid_utf8(name) ? name.substr(0, 50) : "(not UTF-8)",
             "; there are: ", all);
    if (request.parameters.count(name) > 1) refuse(400, "the parameter ", name, " is there twice");
  }
}

/// Path of the photograph with the id @p text, which is 16 hexadecimal digits; 404 otherwise.
std::pair<std::uint64_t, std::string> photo_of(const Photos& photos, std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  const bool valid = error == std::errc() && text.size() == 16 && end == text.data() + text.size();
  const std::string* path = valid ? photos.path(id) : nullptr;
  if (path == nullptr) refuse(404, "no photograph of the index has this id");
  return {id, *path};
}

void print_photo(std::string& line, const Photo& photo) {
  line += "{\"id\":\"" + rc3::hexadecimal(photo.id) + "\",\"score\":";
  print(line, photo.score);
  if (!std::isnan(photo.match)) {
    line += ",\"match\":";
    print(line, photo.match);
  }
  line += ",\"name\":" + quoted(photo.name) + "}";
}

void print_captions(std::string& line, const std::vector<rc3::search::Hit>& captions) {
  line += ",\"captions\":[";
  for (std::size_t i = 0; i < captions.size(); ++i) {
    line += i > 0 ? ",{\"score\":" : "{\"score\":";
    print(line, captions[i].score);
    line += ",\"text\":" + quoted(captions[i].name) + "}";
  }
  line += ']';
}

}  // namespace

Reply error_reply(int status, const std::string& message) {
  Reply reply;
  reply.status = status;
  reply.body = "{\"error\":" + quoted(message) + "}\n";
  return reply;
}

Reply busy_reply() {
  Reply reply = error_reply(503, "too many requests at once; try again in a second");
  reply.retry_after = 1;
  return reply;
}

Api::Api(std::shared_ptr<const Encoder> encoder, std::shared_ptr<const LivePhotos> photos,
         std::shared_ptr<const Captions> captions, ApiOptions options)
    : encoder_(std::move(encoder)),
      photos_(std::move(photos)),
      captions_(std::move(captions)),
      options_(options),
      searches_(options.searches),
      thumbnails_(options.thumbnails),
      cache_(options.thumbnail_cache) {}

Reply Api::operator()(const Request& request) try {
  const std::string_view path = request.path;
  if (path == "/api/search") return search(request);
  if (path == "/api/embed") return embed(request);
  if (path == "/api/words") return words(request);
  if (request.method != "GET") refuse(405, "only /api/search and /api/embed take an image");
  if (path.starts_with("/api/thumbnail/")) return image_file(request, true);
  if (path.starts_with("/api/image/")) return image_file(request, false);
  if (path == "/healthz") return health();
  return page(request);
} catch (const Refused& refused) {
  return error_reply(refused.status, refused.message);
} catch (const std::bad_alloc&) {
  return busy_reply();
} catch (const std::exception& error) {
  std::cerr << "rc3: " << request.path.substr(0, 100) << ": " << error.what() << '\n';
  return error_reply(500, "an error of the server, which its standard error describes");
}

std::string Api::query_of(const Request& request) const {
  const auto text = parameter(request, "q");
  if (!text) refuse(400, "give a text as the parameter q, or POST the bytes of an image");
  if (text->size() > options_.max_query)
    refuse(400, "the text has ", text->size(), " bytes, more than the allowed ", options_.max_query);
  if (const auto bad = rc3::find_invalid_utf8(*text); bad != std::string::npos)
    refuse(400, "the text is not UTF-8 at byte ", bad);
  return *text;
}

std::vector<float> Api::vector_of(const Request& request) const {
  if (request.method == "POST") {
    if (request.body.empty()) refuse(400, "the body is empty; send the bytes of an image file");
    if (parameter(request, "q")) refuse(400, "give a text (q) or an image (the body), one of them");
    return of_request([&] { return encoder_->image(request.body); });
  }
  const std::string text = query_of(request);
  return of_request([&] { return encoder_->text(text); });
}

Reply Api::search(const Request& request) {
  allow_parameters(request, {"q", "like", "top", "rerank", "captions"});
  const auto start = std::chrono::steady_clock::now();
  const auto photos = photos_->now();
  const auto top = number(request, "top", 24, 1, options_.max_top);
  const auto rerank = number(request, "rerank", 0, 0, options_.max_rerank);
  const auto like = parameter(request, "like");
  if (rerank > 0 && !encoder_->can_match()) refuse(400, "this model has no image-text matching: leave out rerank");
  if (rerank > 0 && (like || request.method == "POST"))
    refuse(400, "rerank compares a text with images: leave it out when the query is an image");
  if (like && (request.method == "POST" || parameter(request, "q")))
    refuse(400, "give one of: a text (q), a photograph (like), an image (the body)");
  const bool by_image = like || request.method == "POST";
  if (parameter(request, "captions") && !(by_image && captions_))
    refuse(400, by_image ? "this server has no captions: start it with rc3 serve --captions FILE"
                         : "captions are texts for an image: leave the parameter out when the query is a text");
  const auto captions = by_image && captions_ ? number(request, "captions", 5, 0, options_.max_captions) : 0;
  std::optional<std::uint64_t> without;
  if (like) without = photo_of(*photos, *like).first;
  if (!like && request.method != "POST") query_of(request);  // refused before it waits

  const auto pass = searches_.enter();
  if (!pass) return busy_reply();
  const auto vector = like ? photos->vector(*without) : vector_of(request);
  auto found = photos->closest(vector, std::max(top, rerank), without);
  found = rc3::search::rerank(std::move(found), rerank, [&](std::span<const Photo> first) {
    std::vector<std::filesystem::path> paths;
    for (const Photo& photo : first) paths.emplace_back(*photos->path(photo.id));
    return encoder_->match(*parameter(request, "q"), paths);
  });
  if (std::ssize(found) > top) found.resize(static_cast<std::size_t>(top));
  std::vector<rc3::search::Hit> texts;
  if (captions > 0) texts = captions_->closest(vector, captions);

  const std::chrono::duration<float, std::milli> took = std::chrono::steady_clock::now() - start;
  Reply reply;
  reply.body = "{\"images\":" + std::to_string(photos->size()) + ",\"milliseconds\":";
  print(reply.body, std::round(took.count() * 10) / 10);
  reply.body += ",\"results\":[";
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i > 0) reply.body += ',';
    print_photo(reply.body, found[i]);
  }
  reply.body += ']';
  if (by_image && captions_) print_captions(reply.body, texts);
  reply.body += "}\n";
  return reply;
}

Reply Api::embed(const Request& request) {
  allow_parameters(request, {"q"});
  if (request.method != "POST") query_of(request);
  const auto pass = searches_.enter();
  if (!pass) return busy_reply();
  Reply reply;
  reply.body = "{\"vector\":";
  print(reply.body, vector_of(request));
  reply.body += "}\n";
  return reply;
}

Reply Api::words(const Request& request) {
  if (request.method != "GET") refuse(405, "/api/words takes a text (q) and a photograph (id), no image");
  allow_parameters(request, {"q", "id"});
  if (!encoder_->can_locate()) refuse(400, "this model has no embeddings of words and parts of an image");
  const auto photos = photos_->now();
  const std::string text = query_of(request);
  const auto id = parameter(request, "id");
  if (!id) refuse(400, "give a photograph of the index as the parameter id");
  const auto path = photo_of(*photos, *id).second;
  if (rc3::is_blank(text)) refuse(400, "the text is empty or blank: it has no word");
  if (content_tag(path).empty()) refuse(404, gone);

  const auto pass = searches_.enter();
  if (!pass) return busy_reply();
  WordMap map;
  try {
    map = encoder_->locate(text, path);
  } catch (const rc3::Error&) {  // with the path, which stays here
    refuse(404, unreadable);
  }
  Reply reply;
  reply.body = "{\"columns\":" + std::to_string(map.columns) + ",\"rows\":" + std::to_string(map.rows) + ",\"words\":[";
  for (std::size_t i = 0; i < map.words.size(); ++i) {
    reply.body += (i > 0 ? ",{\"text\":" : "{\"text\":") + tool::quoted(map.words[i].text) + ",\"scores\":";
    print(reply.body, map.words[i].scores);
    reply.body += '}';
  }
  reply.body += "]}\n";
  return reply;
}

Reply Api::image_file(const Request& request, bool reduced) {
  allow_parameters(request, {});
  const auto photos = photos_->now();
  const auto [id, path] = photo_of(*photos, std::string_view(request.path).substr(request.path.rfind('/') + 1));
  Reply reply;
  reply.tag = content_tag(path);
  if (reply.tag.empty()) refuse(404, gone);
  reply.cache = "private, max-age=60";
  if (request.if_none_match == '"' + reply.tag + '"') {
    reply.status = 304;
    return reply;
  }
  std::shared_ptr<const ImageFile> file;
  const std::string key = rc3::hexadecimal(id) + '-' + reply.tag;
  if (reduced) file = cache_.find(key);
  if (file == nullptr) {
    const auto pass = thumbnails_.enter();
    if (!pass) return busy_reply();
    try {
      file = std::make_shared<const ImageFile>(reduced ? thumbnail(path, options_.thumbnail_side) : original(path));
    } catch (const rc3::Error&) {  // with the path, which stays here
      refuse(404, unreadable);
    }
    if (reduced) cache_.add(key, file);
  }
  reply.type = file->type;
  reply.body = file->bytes;
  return reply;
}

Reply Api::health() const {
  const auto photos = photos_->now();
  const auto problem = photos_->problem();
  Reply reply;
  reply.body = "{\"status\":\"ok\",\"images\":" + std::to_string(photos->size()) +
               ",\"dimension\":" + std::to_string(photos->dimension()) +
               ",\"captions\":" + std::to_string(captions_ ? captions_->size() : 0) +
               ",\"rerank\":" + (encoder_->can_match() ? "true" : "false") +
               ",\"words\":" + (encoder_->can_locate() ? "true" : "false");
  if (!problem.empty()) reply.body += ",\"problem\":" + quoted("the index changed and cannot be read: " + problem);
  reply.body += "}\n";
  return reply;
}

Reply Api::page(const Request& request) const {
  const std::string name =
      request.path == "/" ? "page.html" : request.path.substr(std::min<std::size_t>(1, request.path.size()));
  const Asset file = asset(name);
  if (file.bytes.empty()) refuse(404, "there is no such page");
  Reply reply;
  reply.type = file.type;
  reply.cache = "no-cache";
  reply.tag = rc3::hexadecimal(rc3::io::crc32c(file.bytes));
  if (request.if_none_match == '"' + reply.tag + '"')
    reply.status = 304;
  else
    reply.body = file.bytes;
  return reply;
}

}  // namespace tool::serve
