// The server of `rc3 serve` with an encoder of colours: every part of the API, and bad input, over sockets.
#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"
#include "rc3/serve/assets.hpp"
#include "rc3/serve/captions.hpp"
#include "rc3/serve/hosts.hpp"
#include "rc3/serve/server.hpp"
#include "rc3/serve/words.hpp"
#include "serve/colours.hpp"
#include "support/support.hpp"
// Behind Eigen, whose parameters are called _res: a macro of <resolv.h>, which this includes.
#include <httplib.h>

BOOST_AUTO_TEST_SUITE(serve)

using nlohmann::json;
using rc3::test::Colours;
using rc3::test::TempDir;
using rc3::test::throws_with;
using std::chrono::milliseconds;
using tool::serve::Server;
using tool::serve::ServerOptions;

/// Server of photographs in a folder of its own.
struct Served {
  explicit Served(ServerOptions options = {}, std::shared_ptr<Colours> with = std::make_shared<Colours>())
      : colours(std::move(with)) {
    paths = rc3::test::make_photos(folder.path(), 3);
    options.port = 0;
    server = std::make_unique<Server>(colours, folder / "photos.index", options);
  }
  httplib::Client client() const {
    httplib::Client made("127.0.0.1", server->port());
    made.set_read_timeout(20);
    return made;
  }
  json get(const std::string& path, int status = 200) const {
    const auto reply = client().Get(path);
    BOOST_TEST_REQUIRE(bool(reply), path);
    BOOST_TEST(reply->status == status, path + ": " + reply->body);
    return json::parse(reply->body, nullptr, false);
  }
  json post(const std::string& path, const std::string& body, int status = 200) const {
    const auto reply = client().Post(path, body, "application/octet-stream");
    BOOST_TEST_REQUIRE(bool(reply), path);
    BOOST_TEST(reply->status == status, path + ": " + reply->body);
    return json::parse(reply->body, nullptr, false);
  }
  std::string error(const std::string& path, int status) const {
    const auto answer = get(path, status);
    BOOST_TEST_REQUIRE(answer.is_object(), path);
    return answer.value("error", "");
  }

  TempDir folder;
  std::shared_ptr<Colours> colours;
  std::vector<std::string> paths;
  std::unique_ptr<Server> server;
};

/// Bytes that the server answers to @p bytes, until it closes the connection or @p wait has passed.
std::string raw(int port, const std::string& bytes, bool end = false, milliseconds wait = milliseconds(8000)) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const timeval timeout{wait.count() / 1000, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const auto n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    if (end) ::shutdown(fd, SHUT_WR);
    char buffer[4096];
    for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return answer;
}

std::string content(const std::string& path) { return rc3::io::read_file(path, 1 << 20); }

/// PNG of @p width x @p height pixels that says so and has no data.
std::string png_header(std::uint32_t width, std::uint32_t height) {
  std::string png = rc3::io::encode_png({1, 1, {1, 2, 3, 255}});
  for (std::size_t i = 0; i < 4; ++i) {
    png[16 + i] = static_cast<char>(width >> (24 - 8 * i));
    png[20 + i] = static_cast<char>(height >> (24 - 8 * i));
  }
  const auto crc = rc3::io::png::crc32(std::string_view(png).substr(12, 17));
  for (std::size_t i = 0; i < 4; ++i) png[29 + i] = static_cast<char>(crc >> (24 - 8 * i));
  return png;
}

BOOST_AUTO_TEST_CASE(searches_by_text_in_several_languages) {
  const Served served;
  for (const char* word : {"red", "rot", "rouge", "%E8%B5%A4", "%20red%20"}) {
    const auto answer = served.get(std::string("/api/search?top=3&q=") + word);
    BOOST_TEST(answer["images"] == 24);
    BOOST_TEST_REQUIRE(answer["results"].size() == 3u);
    std::set<std::string> names;
    double before = 1;
    for (const auto& one : answer["results"]) {
      names.insert(one["name"]);
      BOOST_TEST(one["score"].get<double>() <= before);
      before = one["score"];
      BOOST_TEST(!one.contains("match"));
      BOOST_TEST(one["id"].get<std::string>().size() == 16u);
    }
    BOOST_TEST((names == std::set<std::string>{"red/0.png", "red/1.png", "red/2.png"}));
  }
  BOOST_TEST(served.get("/api/search?q=blau")["results"].size() == 24u);  // the default of top, and all there are
  BOOST_TEST(served.client().Get("/api/search?q=rot")->get_header_value("Cache-Control") == "no-store");
}

BOOST_AUTO_TEST_CASE(searches_by_image_and_by_photograph) {
  const Served served;
  const auto posted = served.post("/api/search?top=2", content(served.paths[4]));  // green/1.png
  BOOST_TEST(posted["results"][0]["name"] == "green/1.png");
  BOOST_TEST(posted["results"][0]["score"].get<double>() > 0.9999);
  const std::string id = posted["results"][0]["id"];
  const auto like = served.get("/api/search?top=23&like=" + id);
  BOOST_TEST_REQUIRE(like["results"].size() == 23u);
  BOOST_TEST(like["results"][0]["name"].get<std::string>().starts_with("green/"));
  for (const auto& one : like["results"]) BOOST_TEST(one["id"] != id);  // not itself
}

BOOST_AUTO_TEST_CASE(embeds) {
  const Served served;
  const auto text = served.get("/api/embed?q=rot")["vector"].get<std::vector<float>>();
  BOOST_TEST(text == rc3::test::vector_of(230, 40, 40), boost::test_tools::per_element());
  const auto image = served.post("/api/embed", content(served.paths[0]))["vector"].get<std::vector<float>>();
  BOOST_TEST(image == served.colours->image(content(served.paths[0])), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(reranks) {
  const Served served;
  const auto answer = served.get("/api/search?q=red&top=3&rerank=3");
  BOOST_TEST(answer["results"][0]["name"] == "red/1.png");  // the one that matches
  BOOST_TEST(answer["results"][0]["match"].get<double>() == 0.9);
  std::filesystem::remove(served.paths[2]);
  BOOST_TEST(served.get("/api/search?q=red&top=3&rerank=3")["results"].size() == 2u);  // one cannot be read
  const Served without({}, std::make_shared<Colours>(milliseconds(0), false));
  BOOST_TEST(without.error("/api/search?q=red&rerank=3", 400).find("no image-text matching") != std::string::npos);
  BOOST_TEST(without.get("/healthz")["rerank"] == false);
}

std::shared_ptr<const tool::serve::Captions> captions_of(const TempDir& folder, const std::string& lines,
                                                         const Colours& colours = Colours()) {
  const auto file = folder / "captions.txt";
  rc3::io::write_file(file, lines);
  return std::make_shared<tool::serve::Captions>(file, colours, 1);
}

BOOST_AUTO_TEST_CASE(captions_of_an_image) {
  const TempDir folder;
  ServerOptions options;
  options.captions = captions_of(folder, "grün\r\n\nrot\nblau\nrot\n \ngelb");
  BOOST_TEST(options.captions->size() == 4);  // without blank and equal lines
  const Served served(options);
  BOOST_TEST(served.get("/healthz")["captions"] == 4);
  const auto green = content(served.paths[4]);
  const auto all = served.post("/api/search?top=2", green);
  BOOST_TEST(all["results"].size() == 2u);
  BOOST_TEST_REQUIRE(all["captions"].size() == 4u);
  BOOST_TEST(all["captions"][0]["text"] == "grün");
  BOOST_TEST(all["captions"][0]["score"].get<double>() > all["captions"][1]["score"].get<double>());
  BOOST_TEST(served.post("/api/search?captions=1", green)["captions"].size() == 1u);
  BOOST_TEST(served.post("/api/search?captions=0", green)["captions"].empty());
  const std::string like = "/api/search?like=" + all["results"][0]["id"].get<std::string>();
  BOOST_TEST(served.get(like)["captions"][0]["text"] == "grün");
  BOOST_TEST(!served.get("/api/search?q=rot").contains("captions"));
  const auto refused = [](const Served& by, const std::string& path, const char* part) {
    BOOST_TEST(by.error(path, 400).find(part) != std::string::npos, path);
  };
  refused(served, "/api/search?q=rot&captions=3", "leave the parameter out when the query is a text");
  refused(served, like + "&captions=51", "captions must be a whole number from 0 to 50");
  const Served without;
  const std::string other =
      "/api/search?like=" + without.get("/api/search?q=red")["results"][0]["id"].get<std::string>();
  BOOST_TEST(!without.get(other).contains("captions"));
  refused(without, other + "&captions=3", "start it with rc3 serve --captions FILE");
}

BOOST_AUTO_TEST_CASE(many_captions) {
  const TempDir folder;
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += rc3::join("text ", i, '\n');
  const Colours colours;
  const auto captions = captions_of(folder, lines + "rot\n", colours);
  BOOST_TEST(captions->size() == 2001);
  BOOST_TEST(captions->closest(rc3::test::vector_of(230, 40, 40), 1)[0].name == "rot");
}

BOOST_AUTO_TEST_CASE(bad_captions) {
  const TempDir folder;
  throws_with([&] { captions_of(folder, ""); }, "captions.txt: has no text; write one caption a line");
  throws_with([&] { captions_of(folder, " \n\n"); }, "captions.txt: has no text");
  throws_with([&] { captions_of(folder, "rot\na\xff\n"); }, "captions.txt:2");
  throws_with([&] { captions_of(folder, "rot\nblau\n" + std::string(3000, 'a')); },
              "captions.txt:3: the line has 3000");
  throws_with([&] { tool::serve::Captions(folder / "none.txt", Colours(), 1); }, "none.txt");
}

BOOST_AUTO_TEST_CASE(words_in_a_photograph) {
  const Served served;
  const std::string id = served.get("/api/search?q=red&top=1")["results"][0]["id"];
  BOOST_TEST(served.get("/api/words?q=red%20box&id=" + id) ==
             json::parse(R"({"columns":2,"rows":2,"words":[{"text":"red","scores":[0.5,0.125,0.125,0.125]},
                            {"text":"box","scores":[0.125,0.5,0.125,0.125]}]})"));
  const auto refused = [&](const std::string& parameters, int status, const char* part) {
    BOOST_TEST(served.error("/api/words?" + parameters, status).find(part) != std::string::npos, parameters);
  };
  refused("id=" + id, 400, "give a text");
  refused("q=red", 400, "give a photograph");
  refused("q=%20&id=" + id, 400, "blank");
  refused("q=red&id=../../etc/passwd", 404, "no photograph");
  refused("q=red&top=3&id=" + id, 400, "unknown parameter top; there are: id, q");
  served.post("/api/words?q=red&id=" + id, "x", 405);
  std::ofstream(served.paths[0]) << "no image";
  refused("q=red&id=" + id, 404, "cannot be read as an image");
  std::filesystem::remove(served.paths[0]);
  refused("q=red&id=" + id, 404, "is gone");
  const Served without({}, std::make_shared<Colours>(milliseconds(0), false));
  BOOST_TEST(without.get("/healthz")["words"] == false);
  BOOST_TEST(without.error("/api/words?q=red&id=" + id, 400).find("no embeddings of words") != std::string::npos);
}

/// Ids as SentencePiece gives them: <s>, a prefix, pieces, </s>. Two equal letters in a row are one piece.
std::vector<std::int64_t> pieces(std::string_view text) {
  std::vector<std::int64_t> ids{0, 1000};
  char32_t before = ' ';
  for (const char32_t c : rc3::decode_utf8(text)) {
    if (c != ' ' && c == before)
      ids.back() += 0x200000;
    else if (c != ' ')
      ids.push_back(c);
    before = c;
  }
  if (ids.size() > 11) ids.resize(11);  // truncated
  ids.push_back(2);
  return ids;
}

BOOST_AUTO_TEST_CASE(words_and_their_tokens) {
  const auto said = [](std::string_view text, std::size_t most = 32) {
    std::string all;
    for (const auto& [word, begin, end] : tool::serve::words_of(text, pieces, most))
      all += rc3::join('[', word, ' ', begin, ' ', end, ']');
    return all;
  };
  BOOST_TEST(said("dog") == "[dog 2 5]");
  BOOST_TEST(said("  a dog in  it ") == "[a 2 3][dog 3 6][in 6 8][it 8 10]");
  BOOST_TEST(said("a dog in it", 2) == "[a 2 3][dog 3 6]");
  BOOST_TEST(said("abb b") == "[abb 2 4][b 4 5]");
  BOOST_TEST(said("红色的车") == "[红 2 3][色 3 4][的 4 5][车 5 6]");
  BOOST_TEST(said("红红车 x") == "[红红 2 3][车 3 4][x 4 5]");  // two characters of one token
  BOOST_TEST(said("a红") == "[a 2 3][红 3 4]");
  BOOST_TEST(said("ein\u3000Hund") == "[ein 2 5][Hund 5 10]");
  BOOST_TEST(said("one two three four").find("four") == std::string::npos);  // truncated
}

BOOST_AUTO_TEST_CASE(images_of_the_index_only) {
  ServerOptions options;
  options.api.thumbnail_side = 40;
  const Served served(options);
  const std::string id = served.get("/api/search?q=red&top=1")["results"][0]["id"];
  const auto original = served.client().Get("/api/image/" + id);
  BOOST_TEST(original->get_header_value("Content-Type") == "image/png");
  BOOST_TEST(original->body == content(served.paths[0]));
  const auto small = served.client().Get("/api/thumbnail/" + id);
  BOOST_TEST(small->get_header_value("Content-Type") == "image/jpeg");
  const auto image = rc3::io::decode_image(small->body, "thumbnail");
  BOOST_TEST(image.width == 40);
  BOOST_TEST(image.height == 27);  // 96 x 64
  BOOST_TEST(std::abs(image.rgba[0] - 230) < 12);
  BOOST_TEST(served.client().Get("/api/thumbnail/" + id)->body == small->body);  // from the cache
  const auto tag = small->get_header_value("ETag");
  BOOST_TEST(served.client().Get("/api/thumbnail/" + id, {{"If-None-Match", tag}})->status == 304);

  for (const char* path :
       {"/api/image/", "/api/image/0", "/api/image/0000000000000000", "/api/image/../../etc/passwd",
        "/api/image/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/api/image//etc/passwd", "/api/thumbnail/red/0.png",
        "/../server.cpp", "/..%2fassets%2fpage.html", "/page.html/..", "/photos.index", "/nothing"})
    BOOST_TEST(!served.error(path, 404).empty(), path);
  BOOST_TEST(
      raw(served.server->port(), "GET /../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
          .starts_with("HTTP/1.1 404"));

  std::ofstream(served.paths[0]) << "root:x:0:0\n";  // no image any more: its content is not given away
  BOOST_TEST(served.error("/api/image/" + id, 404).find("cannot be read as an image") != std::string::npos);
  std::filesystem::remove(served.paths[0]);
  BOOST_TEST(served.error("/api/thumbnail/" + id, 404).find("is gone") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(page_and_headers) {
  const Served served;
  const auto page = served.client().Get("/");
  BOOST_TEST(page->status == 200);
  BOOST_TEST(page->body.find("<html lang=\"en\">") != std::string::npos);
  for (const char* name : {"page.css", "page.js", "icon.svg"}) {
    BOOST_TEST(page->body.find(name) != std::string::npos);
    BOOST_TEST(served.client().Get(std::string("/") + name)->status == 200);
  }
  std::size_t bytes = 0;
  for (const char* name : {"page.html", "page.css", "page.js", "icon.svg"})
    bytes += tool::serve::asset(name).bytes.size();
  BOOST_TEST(bytes < 100'000u);
  for (const char* path : {"/", "/healthz", "/api/search", "/none"}) {
    const auto reply = served.client().Get(path);
    BOOST_TEST(reply->get_header_value("Content-Security-Policy").starts_with("default-src 'self'"));
    BOOST_TEST(reply->get_header_value("X-Content-Type-Options") == "nosniff");
    BOOST_TEST(reply->get_header_value("Cross-Origin-Resource-Policy") == "same-origin");
  }
  BOOST_TEST(served.client().Get("/", {{"If-None-Match", page->get_header_value("ETag")}})->status == 304);
  BOOST_TEST(served.client().Head("/")->body.empty());
  BOOST_TEST(served.get("/healthz") ==
             json::parse(R"({"status":"ok","images":24,"dimension":4,"captions":0,"rerank":true,"words":true})"));
  BOOST_TEST(served.client().Put("/api/search", "x", "text/plain")->status == 405);
  BOOST_TEST(served.client().Post("/healthz", "x", "text/plain")->status == 405);
}

BOOST_AUTO_TEST_CASE(bad_queries) {
  const Served served;
  const std::string search = "/api/search?";
  const auto refused = [&](const std::string& parameters, const char* part) {
    const auto message = served.error(search + parameters, 400);
    BOOST_TEST(message.find(part) != std::string::npos, parameters.substr(0, 80) + ": " + message);
  };
  refused("", "give a text");
  refused("q=%20", "empty or blank");
  refused("q=a%FFb", "not UTF-8 at byte 1");
  refused("q=" + std::string(2049, 'a'), "2049 bytes, more than the allowed 2048");
  refused("q=" + std::string(1 << 20, 'a'), "longer than 8192 bytes");
  refused("q=red&top=0", "top must be a whole number from 1 to 200");
  refused("q=red&top=201", "from 1 to 200");
  refused("q=red&top=3x", "from 1 to 200");
  refused("q=red&rerank=51", "rerank must be a whole number from 0 to 50");
  refused("q=red&q=blue", "is there twice");
  refused("q=red&tpo=3", "unknown parameter tpo; there are: captions, like, q, rerank, top");
  refused("q=red&like=0000000000000000", "give one of");
  BOOST_TEST(!served.error(search + "like=xyz", 404).empty());
  BOOST_TEST(served.post(search + "q=red", "x", 400)["error"].get<std::string>().find("one of them") !=
             std::string::npos);
  BOOST_TEST(served.colours->calls == 1);  // the blank one: all others were refused before the model
}

BOOST_AUTO_TEST_CASE(bad_images) {
  ServerOptions options;
  options.max_body = 100'000;
  const Served served(options);
  const auto refused = [&](const std::string& body, int status, const char* part) {
    for (const char* path : {"/api/search", "/api/embed"}) {
      const std::string message = served.post(path, body, status).value("error", "");
      BOOST_TEST(message.find(part) != std::string::npos, message);
    }
  };
  refused("", 400, "the body is empty");
  refused("hello", 400, "the image: text; only these are read: JPEG, PNG");
  refused(content(served.paths[0]).substr(0, 100), 400, "the image: ");
  refused(png_header(16'000, 16'000), 400, "16000 x 16000 pixels, more than the allowed side");
  refused(png_header(4096, 4096), 400, "more than the allowed 4194304 in all");
  refused(std::string(100'001, 'x'), 413, "");
  const httplib::MultipartFormDataItems form{{"file", content(served.paths[0]), "a.png", "image/png"}};
  BOOST_TEST(served.client().Post("/api/search", form)->status == 415);
  const auto chunked = served.client().Post(  // a body that does not say how long it is
      "/api/search",
      [](std::size_t offset, httplib::DataSink& sink) {
        if (offset > 300'000) {
          sink.done();
          return true;
        }
        const std::string part(10'000, 'x');
        return sink.write(part.data(), part.size());
      },
      "application/octet-stream");
  BOOST_TEST_REQUIRE(bool(chunked));
  BOOST_TEST(chunked->status == 413);
  BOOST_TEST(chunked->body.find("more than the allowed 100000 bytes") != std::string::npos);
  BOOST_TEST(served.post("/api/search", content(served.paths[0]))["images"] == 24);
}

BOOST_AUTO_TEST_CASE(requests_that_stop_half_way) {
  ServerOptions options;
  options.patience = std::chrono::seconds(1);
  options.connections = 2;
  const Served served(options);
  const int port = served.server->port();
  for (const bool end : {true, false}) {  // the client closes its side, or just stops
    BOOST_TEST(raw(port, "GET /api/se", end).find(" 200 ") == std::string::npos);
    BOOST_TEST(raw(port, "GET / HTTP/1.1\r\nHost: local", end).find(" 200 ") == std::string::npos);
    const auto answer =
        raw(port, "POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc", end);
    if (end) {  // nobody is there to hear the answer
      BOOST_TEST(answer.find(" 200 ") == std::string::npos, answer);
    } else {
      BOOST_TEST(answer.starts_with("HTTP/1.1 400"), answer);
      BOOST_TEST(answer.find("ended early") != std::string::npos, answer);
    }
  }
  BOOST_TEST(raw(port, "\r\n\r\n", true).find(" 200 ") == std::string::npos);
  BOOST_TEST(raw(port, std::string("\0\1\2\xff\r\n\r\n", 8), true).find(" 200 ") == std::string::npos);
  BOOST_TEST(served.get("/healthz")["images"] == 24);  // both threads are free again
  BOOST_TEST(served.get("/healthz")["images"] == 24);
}

BOOST_AUTO_TEST_CASE(foreign_host_headers) {
  ServerOptions options;
  options.names = {"photos.home"};
  const Served served(options);
  const auto status = [&](const char* host) {
    httplib::Headers headers{{"Host", host}};
    const auto got = served.client().Get("/api/search?q=red", headers);
    const auto posted = served.client().Post("/api/search", headers, content(served.paths[0]), "image/png");
    BOOST_TEST(got->status == posted->status);
    BOOST_TEST((got->status == 200 || got->body.find("red/") == std::string::npos));
    return got->status;
  };
  for (const char* ours : {"localhost", "LOCALHOST:1234", "127.0.0.1:8080", "[::1]:8080", "photos.home"})
    BOOST_TEST(status(ours) == 200, ours);
  for (const char* foreign :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.7", "[", "a:b:c"})
    BOOST_TEST(status(foreign) == 403, foreign);
  BOOST_TEST(raw(served.server->port(), "GET /healthz HTTP/1.0\r\nConnection: close\r\n\r\n").find(" 403 ") !=
             std::string::npos);

  const tool::serve::Hosts everyone("0.0.0.0", {"Photos.Home"});
  BOOST_TEST(everyone.ours("192.168.1.7:8080"));
  BOOST_TEST(everyone.ours("[fe80::1]:8080"));
  BOOST_TEST(everyone.ours("photos.home"));
  BOOST_TEST(!everyone.ours("evil.example"));
  BOOST_TEST(!everyone.ours("1.2.3.4.example"));
}

BOOST_AUTO_TEST_CASE(many_requests_at_once) {
  ServerOptions options;
  options.connections = 8;
  options.waiting = 40;
  options.api.searches = {.running = 2, .waiting = 4, .patience = milliseconds(5000)};
  const Served served(options, std::make_shared<Colours>(milliseconds(5)));
  constexpr int threads = 100, each = 10;
  std::atomic<int> found{0}, refused{0}, other{0};
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < threads; ++i)
      clients.emplace_back([&] {
        for (int k = 0; k < each; ++k) {
          httplib::Client client("127.0.0.1", served.server->port());
          client.set_read_timeout(30);
          client.set_connection_timeout(30);
          const auto reply = client.Get("/api/search?q=red&top=3", {{"Connection", "close"}});
          if (reply && reply->status == 200 && json::parse(reply->body)["results"].size() == 3)
            ++found;
          else if (reply && reply->status == 503 && reply->get_header_value("Retry-After") == "1")
            ++refused;
          else
            ++other;
        }
      });
  }
  BOOST_TEST(other == 0);
  BOOST_TEST(found + refused == threads * each);
  BOOST_TEST(found > 0);
  BOOST_TEST(refused > 0);
  BOOST_TEST(served.colours->calls == found);  // a refused request costs no pass of the model
  BOOST_TEST_MESSAGE(found << " answered, " << refused << " refused");
  BOOST_TEST(served.get("/api/search?q=red")["images"] == 24);
}

BOOST_AUTO_TEST_CASE(patience_of_the_gate) {
  tool::serve::Gate gate({.running = 1, .waiting = 1, .patience = milliseconds(30)});
  auto first = gate.enter();
  BOOST_TEST(bool(first));
  BOOST_TEST(!gate.enter());  // after its patience
  { const auto gone = std::move(first); }
  BOOST_TEST(bool(gate.enter()));
}

BOOST_AUTO_TEST_CASE(index_made_again) {
  ServerOptions options;
  options.refresh = milliseconds(20);
  const Served served(options);
  const auto file = served.folder / "photos.index";
  const auto red = served.get("/api/search?q=red&top=1")["results"][0];
  const auto before = served.server->photos().now();  // as a request in flight holds it
  const auto wait = [&](const auto& done) {
    for (int i = 0; i < 500 && !done(); ++i) std::this_thread::sleep_for(milliseconds(10));
    return done();
  };
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::jthread searching([&] {
    while (!stop) {
      const auto reply = served.client().Get("/api/search?q=red&top=1");
      if (!reply || reply->status != 200 || json::parse(reply->body)["results"][0]["name"] != "red/0.png") ++failed;
    }
  });
  auto index = rc3::search::Index::load(file);
  index.remove(served.paths[7]);  // blue/1.png: other photographs have other rows now
  index.save(file);
  BOOST_TEST(wait([&] { return served.get("/healthz")["images"] == 23; }));
  BOOST_TEST(served.get("/api/search?q=red&top=1")["results"][0]["id"] == red["id"]);
  BOOST_TEST(served.client().Get("/api/image/" + red["id"].get<std::string>())->body == content(served.paths[0]));
  BOOST_TEST(before->size() == 24);
  BOOST_TEST(before->closest(rc3::test::vector_of(40, 80, 220), 1).size() == 1u);

  rc3::io::write_file(file, "no index");  // the old one stays
  BOOST_TEST(wait([&] { return served.get("/healthz").contains("problem"); }));
  BOOST_TEST(served.get("/api/search?q=red")["images"] == 23);
  rc3::search::Index(4, {.model = "another"}).save(file);
  BOOST_TEST(wait([&] { return served.get("/healthz").value("problem", "").find("another") != std::string::npos; }));
  std::filesystem::remove(file);
  BOOST_TEST(served.get("/api/search?q=red")["images"] == 23);
  index.save(file);
  BOOST_TEST(wait([&] { return !served.get("/healthz").contains("problem"); }));
  stop = true;
  searching.join();
  BOOST_TEST(failed == 0);
}

BOOST_AUTO_TEST_CASE(errors_of_the_start) {
  const Served served;
  const auto start = [&](ServerOptions options, const char* index = "photos.index") {
    return [&, options, index] { const Server server(served.colours, served.folder / index, options); };
  };
  ServerOptions options;
  options.port = served.server->port();
  throws_with(start(options), rc3::join("port ", options.port, " of 127.0.0.1: the port is in use"));
  BOOST_TEST(served.get("/healthz")["images"] == 24);
  options.port = 0;
  options.host = "192.0.2.1";
  throws_with(start(options), "this machine has no such address");
  options.host = "127.0.0.1";
  throws_with(start(options, "none.index"), "none.index: cannot open");
  options.port = 70'000;
  throws_with(start(options), "--port must be in [0, 65535], is 70000");
}

BOOST_AUTO_TEST_CASE(thumbnails_in_memory_are_bounded) {
  tool::serve::ThumbnailCache cache(1000);
  for (int i = 0; i < 10; ++i) {
    cache.add(std::to_string(i), std::make_shared<tool::serve::ImageFile>(std::string(300, 'x'), "image/jpeg"));
    cache.find("0");  // in use
  }
  BOOST_TEST(cache.bytes() == 900u);
  BOOST_TEST(bool(cache.find("0")));
  BOOST_TEST(bool(cache.find("9")));
  BOOST_TEST(!cache.find("1"));
}

BOOST_AUTO_TEST_CASE(ends_while_connections_are_open) {
  auto served = std::make_unique<Served>();
  httplib::Client client = served->client();
  client.set_keep_alive(true);
  BOOST_TEST(client.Get("/healthz")->status == 200);
  const auto start = std::chrono::steady_clock::now();
  served.reset();
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(4)));
}

BOOST_AUTO_TEST_SUITE_END()
