// A server with the encoder of colours:  serve_colours <folder> [<port>]. Makes its photographs there, prints its
// address, and ends with its standard input.
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
  rc3::test::make_photos(folder, 8, 480);
  tool::serve::ServerOptions options;
  options.port = argc > 2 ? std::stoi(argv[2]) : 0;
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
