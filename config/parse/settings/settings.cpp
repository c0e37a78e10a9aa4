// SPDX-License-Identifier: Apache-2.0
// The layers of settings, one over the other.
#include "config/parse/settings/settings.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "config/parse/settings/kernel_command_line.hpp"
#include "config/parse/settings/toml.hpp"
#include "config/parse/settings/value.hpp"

namespace stillboot {
namespace {

constexpr std::size_t max_file_bytes = 64 * 1024;
constexpr std::string_view command_line_name = "kernel command line";
constexpr std::string_view shipped = "/usr/lib/stillboot/stillboot.toml";
constexpr std::string_view administered = "/etc/stillboot/stillboot.toml";
constexpr std::string_view runtime = "/run/stillboot/stillboot.toml";

void apply(LoadedSettings& out, std::string_view key, const SettingValue& value, const Diagnostic& where) {
    auto refusal = apply_setting(out.settings, key, value, Origin{where.file, where.line});
    if (refusal) {
        Diagnostic diagnostic = where;
        diagnostic.severity = refusal->code() == "config.setting_unknown" ? Severity::warning : Severity::error;
        diagnostic.message = std::move(*refusal);
        out.diagnostics.push_back(std::move(diagnostic));
    }
}

void apply_file(LoadedSettings& out, const SettingsFile& file) {
    TomlItems read = read_toml(file.path, file.text);
    out.diagnostics.insert(out.diagnostics.end(), read.diagnostics.begin(), read.diagnostics.end());
    for (const TomlItem& item : read.items) {
        apply(out, item.key, item.value,
              Diagnostic(Severity::error, file.path, item.line, item.column, Message()));
    }
}

std::vector<std::string> split_at_commas(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        out.emplace_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

SettingValue value_of(const KernelParameter& parameter) {
    SettingValue value;
    value.written = parameter.value;
    value.word = parameter.value;
    value.list = split_at_commas(parameter.value);
    std::int64_t number = 0;
    const char* end = parameter.value.data() + parameter.value.size();
    const auto parsed = std::from_chars(parameter.value.data(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) {
        value.number = number;
    }
    return value;
}

void apply_command_line(LoadedSettings& out, std::string_view line) {
    constexpr std::string_view prefix = "stillboot.";
    for (const KernelParameter& parameter : split_kernel_command_line(line)) {
        if (parameter.name.rfind(prefix, 0) != 0) {
            continue;
        }
        std::string key = parameter.name.substr(prefix.size());
        std::replace(key.begin(), key.end(), '-', '_');  // as the kernel reads its own parameters
        apply(out, key, value_of(parameter),
              Diagnostic(Severity::error, std::string(command_line_name), 0,
                         static_cast<std::uint32_t>(parameter.offset + 1), Message()));
    }
}

void read_file(const Root& root, const std::string& path, std::vector<SettingsFile>& files,
               std::vector<Diagnostic>& diagnostics) {
    auto text = root.read_file(path, max_file_bytes);
    if (text) {
        files.push_back({path, std::move(*text)});
    } else if (text.error().error_number() != ENOENT) {
        diagnostics.emplace_back(Severity::error, path, 0, 0, text.error().message());
    }
}

std::vector<std::string> drop_ins(const Root& root) {
    std::map<std::string, std::string> by_name;
    for (const std::string_view file : {shipped, administered}) {
        const std::string directory = std::string(file) + ".d";
        for (const std::string& name : root.list(directory).value_or(std::vector<std::string>())) {
            if (name.size() > 5 && name.compare(name.size() - 5, 5, ".toml") == 0) {
                by_name[name] = directory + "/" + name;
            }
        }
    }
    std::vector<std::string> paths;
    for (const auto& [name, path] : by_name) {
        paths.push_back(path);
    }
    return paths;
}

}  // namespace

LoadedSettings parse_settings(const std::vector<SettingsFile>& files, std::string_view kernel_command_line) {
    LoadedSettings out;
    for (const SettingsFile& file : files) {
        apply_file(out, file);
    }
    apply_command_line(out, kernel_command_line);
    return out;
}

LoadedSettings load_settings(const Root& root) {
    std::vector<std::string> paths = {std::string(shipped), std::string(administered)};
    for (std::string& path : drop_ins(root)) {
        paths.push_back(std::move(path));
    }
    paths.emplace_back(runtime);

    std::vector<SettingsFile> files;
    std::vector<Diagnostic> diagnostics;
    for (const std::string& path : paths) {
        read_file(root, path, files, diagnostics);
    }
    const auto command_line = root.read_file("/proc/cmdline", max_file_bytes);
    LoadedSettings out = parse_settings(files, command_line.value_or(""));
    out.diagnostics.insert(out.diagnostics.begin(), diagnostics.begin(), diagnostics.end());
    return out;
}

}  // namespace stillboot
