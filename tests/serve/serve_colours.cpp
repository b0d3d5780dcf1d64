// A server with the encoder of colours:  serve_colours <folder> [<port> [<milliseconds between looks at the index>]].
// Makes its photographs there, an index with one less, and one of another model; prints its address, and ends with its
// standard input.
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include "rc3/serve/captions.hpp"
#include "rc3/serve/server.hpp"
#include "serve/colours.hpp"

int main(int argc, char** argv) try {
  const std::filesystem::path folder = argv[1];
  const auto paths = rc3::test::make_photos(folder, 8, 480);
  auto fewer = rc3::search::Index::load(folder / "photos.index");
  fewer.remove(paths.back());
  fewer.save(folder / "fewer.index");
  rc3::search::Index(4, {.model = "another"}).save(folder / "other.index");
  tool::serve::ServerOptions options;
  options.port = argc > 2 ? std::stoi(argv[2]) : 0;
  if (argc > 3) options.refresh = std::chrono::milliseconds(std::stoi(argv[3]));
  const auto colours = std::make_shared<rc3::test::Colours>();
  rc3::io::write_file(
      folder / "captions.txt",
      "red\nblue\ngreen\nyellow\nأحمر\na text that names no colour, and is so long that a phone shows it "
      "in several lines\n");
  options.captions = std::make_shared<tool::serve::Captions>(folder / "captions.txt", *colours, 1);
  const tool::serve::Server server(colours, folder / "photos.index", options);
  std::cout << server.url() << std::endl;
  while (std::getchar() != EOF) {
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
