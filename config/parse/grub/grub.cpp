// SPDX-License-Identifier: Apache-2.0
// The front of the GRUB evaluator: what stands before the first line, and what is told after the last.
#include "config/parse/grub/grub.hpp"

#include <algorithm>
#include <charconv>

#include "config/parse/grub/evaluator.hpp"
#include "config/parse/grub/place.hpp"

namespace stillboot {
namespace {

#if defined(__powerpc64__)
constexpr std::string_view native_platform = "ieee1275";
constexpr std::string_view native_cpu = "powerpc";
#elif defined(__aarch64__)
constexpr std::string_view native_platform = "efi";
constexpr std::string_view native_cpu = "arm64";
#else
constexpr std::string_view native_platform = "efi";
constexpr std::string_view native_cpu = "x86_64";
#endif

// What a GRUB 2.06 says it can do; configurations ask for these by name.
constexpr std::string_view features[] = {
    "feature_200_final",
    "feature_all_video_module",
    "feature_chainloader_bpb",
    "feature_default_font_path",
    "feature_menuentry_id",
    "feature_menuentry_options",
    "feature_nativedisk_cmd",
    "feature_ntldr",
    "feature_platform_search_hint",
    "feature_timeout_style",
};

GrubOptions with_defaults(GrubOptions options) {
    if (options.platform.empty()) {
        options.platform = native_platform;
    }
    if (options.cpu.empty()) {
        options.cpu = native_cpu;
    }
    return options;
}

std::optional<std::chrono::seconds> timeout_of(std::string_view text) {
    std::int32_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || seconds < 0) {
        return std::nullopt;
    }
    return std::chrono::seconds(seconds);
}

}  // namespace

namespace grub {

Evaluator::Evaluator(FileSource& source, const GrubOptions& options)
    : source_(source),
      options_(with_defaults(options)),
      limits_(options.limits),
      diagnostics_(options.limits.diagnostics),
      environment_(
          {options.limits.variables, options.limits.variable_bytes, 256 * options.limits.variable_bytes}) {}

GrubResult Evaluator::run(std::string_view path) {
    const std::string directory = "(self)" + std::string(parent_path(path));
    environment_.set("root", "self");
    environment_.set("prefix", options_.prefix.empty() ? directory : "(self)" + options_.prefix);
    environment_.set("cmdpath", directory);
    environment_.set("config_file", "(self)" + std::string(path));
    environment_.set("config_directory", directory);
    environment_.set("grub_platform", options_.platform);
    environment_.set("grub_cpu", options_.cpu);
    for (const std::string_view feature : features) {
        environment_.set(feature, "y");
    }
    for (const std::string_view name : {"root", "prefix", "cmdpath", "grub_platform", "grub_cpu"}) {
        environment_.export_variable(name);
    }
    for (const std::string_view feature : features) {
        environment_.export_variable(feature);
    }
    for (const auto& [name, value] : options_.variables) {
        environment_.set(name, value);
    }
    if (const Script* script = read_script(nullptr, DeviceRef(), path)) {
        Menu menu;
        menu_ = &menu;
        run_script(*script, {0, static_cast<std::uint32_t>(script->text().size())});
        menu_ = nullptr;
        if (!default_is_inside_) {
            record_menu_settings();
        }
        // What the script used up is not taken from its entries.
        steps_ = 0;
        expansion_bytes_ = 0;
        finish_menu(menu, !default_is_inside_, *script);
    }
    result_.parsed.diagnostics = diagnostics_.take();
    return std::move(result_);
}

void Evaluator::record_menu_settings() {
    result_.timeout = timeout_of(environment_.get("timeout"));
    result_.timeout_style = environment_.get("timeout_style");
    result_.default_entry = environment_.get("default");
    result_.fallback = environment_.get("fallback");
}

}  // namespace grub

GrubResult evaluate_grub(FileSource& source, std::string_view path, const GrubOptions& options) {
    return grub::Evaluator(source, options).run(path);
}

Parsed parse_grub(FileSource& source, std::string_view path, const GrubOptions& options) {
    GrubResult result = evaluate_grub(source, path, options);
    auto& diagnostics = result.parsed.diagnostics;
    const auto note = [&](std::string file, std::uint32_t line, Message message) {
        Diagnostic diagnostic(Severity::note, std::move(file), line, line == 0 ? 0U : 1U, std::move(message));
        // The same command with another value is another write, but no other note.
        if (std::find(diagnostics.begin(), diagnostics.end(), diagnostic) == diagnostics.end()) {
            diagnostics.push_back(std::move(diagnostic));
        }
    };
    for (const GrubWrite& write : result.writes) {
        std::string names;
        for (const auto& [name, value] : write.variables) {
            names.append(names.empty() ? "" : ", ").append(name);
        }
        note(write.file, write.line, Message("grub.write", {{"variables", names}, {"path", write.path}}));
    }
    if (result.timeout) {
        note(std::string(path), 0, Message("grub.timeout", {{"seconds", std::int64_t{result.timeout->count()}}}));
    }
    if (!result.fallback.empty()) {
        note(std::string(path), 0, Message("grub.fallback", {{"fallback", result.fallback}}));
    }
    return std::move(result.parsed);
}

}  // namespace stillboot
