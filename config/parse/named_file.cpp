// SPDX-License-Identifier: Apache-2.0
// Which format a file has that is in none of the usual places.
#include "config/parse/named_file.hpp"

#include "config/parse/bls/bls.hpp"
#include "config/parse/grub/grub.hpp"

namespace stillboot {
namespace {

/// No configuration is longer; kernels are.
constexpr std::size_t max_text_bytes = std::size_t{4} * 1024 * 1024;

// As where the entries of a file system that was mounted on /boot are copied into one that holds it.
std::string prefix_of(const std::string& path) {
    return path.starts_with("/boot/") ? "/boot" : "";
}

ReadFile read_entries(FileSource& source, const std::string& path, const std::string& directory,
                      std::string only) {
    BlsOptions options;
    options.path_prefix = prefix_of(path);
    options.directory = directory;
    options.only = std::move(only);
    options.loader_conf.clear();
    options.select_default = false;
    return {"bls", parse_bls(source, options)};
}

ReadFile kernel_at(const std::string& path) {
    BootOption option;
    option.id = path.substr(1);
    option.title = path;
    option.kernel.path = path;
    option.source = Source{"kernel", path, 0};
    ReadFile kernel{"kernel", {}};
    kernel.parsed.options.push_back(std::move(option));
    return kernel;
}

}  // namespace

Result<ReadFile> read_named_file(FileSource& source, const std::string& path) {
    const auto kind = source.kind({}, path);
    if (kind == FileSource::Kind::directory) {
        return read_entries(source, path + "/", path, "");
    }
    if (kind != FileSource::Kind::file) {
        return Error("config.file_missing", {{"path", path}, {"device", source.self().id}});
    }
    const auto text = source.read({}, path, max_text_bytes);
    if (!text && text.error().code() != "base.file_too_large") {
        return text.error();
    }
    if (!text || text->find('\0') != std::string::npos) {
        return kernel_at(path);
    }
    if (path.ends_with(".conf")) {
        const std::size_t slash = path.rfind('/');
        return read_entries(source, path, path.substr(0, slash), path.substr(slash + 1));
    }
    ReadFile grub{"grub", parse_grub(source, path, {})};
    for (BootOption& option : grub.parsed.options) {
        option.is_default = false;
    }
    return grub;
}

}  // namespace stillboot
