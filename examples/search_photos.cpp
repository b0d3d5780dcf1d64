// Search among photographs: search_photos <model directory> <folder> <text>
#include <rc3/rc3.hpp>

#include <iostream>

int main(int, char** argv) {
  const auto model = rc3::load<rc3::DefaultModel>(argv[1]);
  rc3::ImageIndex index(model);
  index.add_folder(argv[2]);
  for (const auto& hit : index.search(argv[3], 5)) std::cout << hit.score << "  " << hit.path << '\n';
}
