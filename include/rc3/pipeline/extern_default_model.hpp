#pragma once
/// Instances of templates for rc3::DefaultModel, compiled once: loading, embedding and search. rc3/rc3.hpp includes
/// this header where RC3_EXTERN_DEFAULT_MODEL is defined, as rc3_precompile_headers(app DEFAULT_MODEL) of the CMake
/// package does. The program is linked with one file that defines RC3_DEFINE_DEFAULT_MODEL and includes this header.

#include <filesystem>
#include <string>

#include "rc3/model/default_model.hpp"
#include "rc3/pipeline/embedder.hpp"
#include "rc3/pipeline/identity.hpp"
#include "rc3/pipeline/image_index.hpp"
#include "rc3/pipeline/load.hpp"

#ifdef RC3_DEFINE_DEFAULT_MODEL
#define RC3_INSTANCE template
#else
#define RC3_INSTANCE extern template
#endif

/// @cond  Doxygen knows no instances
namespace rc3 {

RC3_INSTANCE std::string pipeline::identity_of<DefaultModel>(const Pipeline<DefaultModel>&);
RC3_INSTANCE Pipeline<DefaultModel> load<DefaultModel>(const std::filesystem::path&);
RC3_INSTANCE class Embedder<DefaultModel>;
RC3_INSTANCE class ImageIndex<DefaultModel>;

}  // namespace rc3
/// @endcond

#undef RC3_INSTANCE
