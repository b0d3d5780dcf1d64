"""Conan 2 recipe: the library, from the source tree that this file is in. README.md in the folder above describes it."""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load
from conan.tools.system.package_manager import Apt


class Rc3(ConanFile):
    name = "rc3"
    description = "Policy-based C++20 library for multilingual vision-language models on LibTorch"
    license = "BSL-1.0"
    package_type = "static-library"  # one file of it is compiled; the rest is headers
    settings = "os", "arch", "compiler", "build_type"

    @property
    def _tree(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._tree, "include", "rc3", "version.hpp"))
        self.version = ".".join(re.findall(r"#define RC3_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "packaging/*.cmake", "packaging/pkgconfig/*", "src/*"):
            copy(self, pattern, self._tree, self.export_sources_folder)

    def validate(self):
        check_min_cppstd(self, 20)

    def system_requirements(self):
        Apt(self).install(["nlohmann-json3-dev", "libsentencepiece-dev", "libstb-dev"])

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables[f"RC3_BUILD_{part}"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install(component="dev")
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # rc3Config.cmake itself is found: Conan knows no LibTorch that it could link.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "rc3")]
        self.cpp_info.libs = ["rc3_stb_image"]
