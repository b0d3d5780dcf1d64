// tools/prepare/volta_lmdb.py: what it makes of an LMDB can be read, and what is hostile in one does nothing.
#include <boost/test/unit_test.hpp>

#include <cstdlib>

#include "rc3/data/format/manifest.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(volta_lmdb)

using namespace rc3;
using namespace rc3::data;

namespace {

// Writes an LMDB as VOLTA does, and one with what an attacker would put there.
constexpr std::string_view peer = R"python(
import base64, os, pickle, sys
import lmdb, numpy as np
folder, hostile = sys.argv[1], sys.argv[2] == "hostile"
b64 = lambda array: base64.b64encode(array.tobytes())

def item(i, n=36, f=2048):
    boxes = np.stack([np.arange(n), np.arange(n) + i, np.arange(n) + 0.5 + i, np.full(n, 99.25)], 1).astype(np.float32)
    return {"img_id": str(i), "img_h": 100, "img_w": 80, "objects_id": b64(np.arange(n)), "num_boxes": n,
            "boxes": b64(boxes), "features": b64(np.arange(i, i + n * f, dtype=np.float32))}

class Run:
    def __init__(self, call, *arguments): self.reduced = (call, arguments)
    def __reduce__(self): return self.reduced

values = {b"%d" % i: pickle.dumps(item(i)) for i in range(1, 4)}
arrays = item(4, 2, 3)  # arrays instead of base64, texts instead of bytes, protocol 2
arrays.update(boxes=np.array([[0, 0, 1, 1], [0, 0, 80, 100]], np.float64), features=np.ones((2, 3), np.float32),
              img_h=np.int64(100), objects_id=b64(np.arange(2)).decode(), cls_prob=np.full((2, 4), 0.25, np.float32))
values[b"4"] = pickle.dumps(arrays, protocol=2)
values["a/../ž".encode()] = pickle.dumps(item(5), protocol=5)
if hostile:
    ran = os.path.join(folder, "ran")
    infinite, flat = np.full(36, np.inf, np.float32), np.array([5, 0, 5, 1] * 36, np.float32)
    bad = {b"system": Run(os.system, "touch " + ran), b"eval": Run(eval, f"open({ran!r}, 'w')"),
           b"getattr": Run(getattr, "x", "upper"), b"bomb": Run(bytes, 1 << 40), b"load": Run(np.load, ran),
           b"codec": b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.",
           b"list": [1], b"short": b"\x80", b"nothing": b"",
           b"infinite": item(1) | {"features": b64(infinite)}, b"box": item(1) | {"boxes": b64(flat)}}
    values |= {key: value if isinstance(value, bytes) else pickle.dumps(value) for key, value in bad.items()}
values[b"keys"] = pickle.dumps(list(values) + [b"missing"] * hostile)
with lmdb.open(os.path.join(folder, "db"), map_size=1 << 26) as environment, environment.begin(write=True) as txn:
    for key, value in values.items():
        if value: txn.put(key, value)
)python";

/// Exit status of the converter, its output in folder/log.
int convert(const test::TempDir& folder, const std::string& python, const char* kind) {
  io::write_file(folder / "peer.py", peer);
  const std::string make = join(python, ' ', folder / "peer.py", ' ', folder.path(), ' ', kind);
  BOOST_REQUIRE(std::system(make.c_str()) == 0);
  const std::string command = join(python, ' ', test::source("tools/prepare/volta_lmdb.py"), " --lmdb ", folder / "db",
                                   " --out ", folder / "out", " >", folder / "log", " 2>&1");
  return std::system(command.c_str());
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_it_makes_is_read) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const test::TempDir folder;
  const int status = convert(folder, python, "good");
  BOOST_TEST(status == 0, io::read_file(folder / "log", 1 << 20));
  std::string records;
  for (const char* id : {"1", "2", "3", "4", "a%2F..%2F%C5%BE"})
    records += join(R"({"id": ")", id, R"(", "features": "out/)", id, ".safetensors\"}\n");
  io::write_file(folder / "m.jsonl", records);
  DataErrors errors;
  const Manifest manifest(folder / "m.jsonl", errors);
  BOOST_REQUIRE(manifest.size() == 5);
  for (const std::int64_t i : {0, 1, 2, 4}) {
    const Regions regions = manifest.read(i).regions;
    BOOST_TEST(regions.width == 80);
    BOOST_TEST(regions.height == 100);
    BOOST_REQUIRE(regions.size() == 36u);
    const auto shift = static_cast<float>(i + 1);
    BOOST_TEST((regions.boxes[5] == Box{5, 5 + shift, 5.5f + shift, 99.25f}));
    BOOST_REQUIRE(regions.features.size() == 36u * 2048u);
    BOOST_TEST(regions.features[2049] == 2049 + shift);
    BOOST_TEST(regions.classes.empty());
  }
  const Regions arrays = manifest.read(3).regions;
  BOOST_TEST((arrays.boxes == std::vector<Box>{{0, 0, 1, 1}, {0, 0, 80, 100}}));
  BOOST_TEST((arrays.features == std::vector<float>(6, 1.0f)));
  BOOST_TEST((arrays.classes == std::vector<float>(8, 0.25f)));
}

BOOST_AUTO_TEST_CASE(what_is_hostile_does_nothing) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const test::TempDir folder;
  BOOST_TEST(convert(folder, python, "hostile") != 0);  // 12 of 17 are bad
  const std::string log = io::read_file(folder / "log", 1 << 20);
  for (const char* part :
       {"system: left out: posix.system is refused", "eval: left out: builtins.eval is refused",
        "getattr: left out: builtins.getattr is refused", "bomb: left out: builtins.bytes is refused",
        "load: left out: numpy.load is refused", "codec: left out: bytes in rot13",
        "list: left out: a dict is expected", "short: left out: ", "nothing: left out: is listed but not there",
        "infinite: left out: features:", "box: left out: box 0 [5.0, 0.0, 5.0, 1.0] is not inside",
        "missing: left out: is listed but not there", "12 of 17 images are damaged"})
    BOOST_TEST((log.find(part) != std::string::npos), "\"" << part << "\" is not in " << log);
  BOOST_TEST(!std::filesystem::exists(folder / "ran"));
  BOOST_TEST(!std::filesystem::exists(folder / "out"));
}

BOOST_AUTO_TEST_SUITE_END()
