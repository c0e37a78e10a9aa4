// SPDX-License-Identifier: Apache-2.0
// The layers of settings, one over the other.
#include "config/parse/settings/settings.hpp"

#include <algorithm>
#include <map>

#include "config/parse/settings/kernel_command_line.hpp"
#include "config/parse/settings/toml.hpp"
#include "config/parse/settings/value.hpp"

namespace stillboot {
namespace {

constexpr std::size_t max_file_bytes = 64 * 1024;
constexpr std::string_view command_line_name = "kernel command line";
constexpr std::string_view stored_name = "state store";
constexpr std::string_view this_start_name = "this start only";
constexpr std::string_view options_name = "options of stillbootd";
constexpr std::string_view shipped = "/usr/lib/stillboot/stillboot.toml";
constexpr std::string_view administered = "/etc/stillboot/stillboot.toml";
constexpr std::string_view runtime = "/run/stillboot/stillboot.toml";

void apply(LoadedSettings& out, std::string_view key, const SettingValue& value, const Diagnostic& where) {
    auto refusal = apply_setting(out.settings, key, value, Origin{where.file, where.line});
    if (refusal) {
        Diagnostic diagnostic = where;
        const auto stays = origin_of_setting(out.settings, key);
        diagnostic.severity = stays ? Severity::error : Severity::warning;
        diagnostic.message =
            stays ? Message("config.setting_stays", {{"why", refusal->sentence()}, {"origin", stays->text()}})
                  : std::move(*refusal);
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

void apply_command_line(LoadedSettings& out, std::string_view line) {
    constexpr std::string_view prefix = "stillboot.";
    for (const KernelParameter& parameter : split_kernel_command_line(line)) {
        if (parameter.name.rfind(prefix, 0) != 0) {
            continue;
        }
        std::string key = parameter.name.substr(prefix.size());
        std::replace(key.begin(), key.end(), '-', '_');  // as the kernel reads its own parameters
        apply(out, key, value_of_text(parameter.value),
              Diagnostic(Severity::error, std::string(command_line_name), 0,
                         static_cast<std::uint32_t>(parameter.offset + 1), Message()));
    }
}

void apply_texts(LoadedSettings& out, const std::vector<SettingText>& texts, std::string_view where) {
    for (const SettingText& text : texts) {
        apply(out, text.key, value_of_text(text.value),
              Diagnostic(Severity::error, std::string(where), 0, 0, Message()));
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

LoadedSettings parse_settings(const SettingsLayers& layers) {
    LoadedSettings out;
    for (const SettingsFile& file : layers.files) {
        apply_file(out, file);
    }
    apply_texts(out, layers.stored, stored_name);
    apply_command_line(out, layers.command_line);
    apply_texts(out, layers.this_start, this_start_name);
    apply_texts(out, layers.options, options_name);
    return out;
}

ReadSettings read_settings(const Root& root) {
    std::vector<std::string> paths = {std::string(shipped), std::string(administered)};
    for (std::string& path : drop_ins(root)) {
        paths.push_back(std::move(path));
    }
    paths.emplace_back(runtime);
    ReadSettings out;
    for (const std::string& path : paths) {
        read_file(root, path, out.layers.files, out.diagnostics);
    }
    out.layers.command_line = root.read_file("/proc/cmdline", max_file_bytes).value_or("");
    return out;
}

LoadedSettings load_settings(const Root& root) {
    const ReadSettings read = read_settings(root);
    LoadedSettings out = parse_settings(read.layers);
    out.diagnostics.insert(out.diagnostics.begin(), read.diagnostics.begin(), read.diagnostics.end());
    return out;
}

}  // namespace stillboot
