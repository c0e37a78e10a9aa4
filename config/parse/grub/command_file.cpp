// SPDX-License-Identifier: Apache-2.0
// The commands that read files: configurations, environment blocks, and what scripts ask about files.
#include <algorithm>
#include <utility>

#include "config/parse/grub/environment_block.hpp"
#include "config/parse/grub/evaluator.hpp"
#include "config/parse/grub/options.hpp"
#include "config/parse/grub/place.hpp"

namespace stillboot::grub {
namespace {

constexpr std::size_t environment_bytes = 64U << 10;

constexpr OptionSpec env_options[] = {
    {"file", 'f', OptionSpec::Value::required},
    {"skip-sig", 's', OptionSpec::Value::none},
};

std::string display_name(const DeviceRef& device, std::string_view path) {
    return device.is_self() ? std::string(path) : "(" + device_name(device) + ")" + std::string(path);
}

/// The environment block that load_env and save_env mean: --file, or grubenv beside the configuration.
std::string environment_file(const CommandOptions& options, std::string_view prefix) {
    return options.has("file") ? std::string(options.value("file")) : std::string(prefix) + "/grubenv";
}

}  // namespace

std::optional<DeviceRef> Evaluator::device_named(std::string_view name) const {
    return device_of(name);
}

// Where a file name leads: the device in its parentheses, or that of $root. Says why where it leads nowhere.
std::optional<Evaluator::OpenFile> Evaluator::open_file(const Call& call, std::string_view name) {
    const FileName file = split_file_name(name);
    const std::string_view device_text = file.device.value_or(environment_.get("root"));
    OpenFile out;
    out.path = file.path;
    if (const std::string base = url_base(device_text); !base.empty()) {
        out.url = base + (file.path.substr(0, 1) == "/" ? "" : "/") + std::string(file.path);
        return out;
    }
    const auto device = device_named(device_text);
    if (!device) {
        report(Severity::warning, call, Message("grub.unknown_device", {{"device", device_text}, {"file", name}}));
        return std::nullopt;
    }
    if (!file.path.empty() && file.path[0] != '/') {
        report(Severity::warning, call, Message("grub.relative_path", {{"file", name}}));
        return std::nullopt;
    }
    out.device = *device;
    return out;
}

// Null where there is none; said at the command that asked, or without a place for the first file.
const Script* Evaluator::read_script(const Call* call, const DeviceRef& device, std::string_view path) {
    std::string name = display_name(device, path);
    auto text = source_.read(device, path, limits_.file_bytes);
    if (!text) {
        if (call != nullptr) {
            report(Severity::warning, *call, text.error().message());
        } else {
            diagnostics_.add(Diagnostic(Severity::error, name, 0, 0, text.error().message()));
        }
        return nullptr;
    }
    source_bytes_ += text->size();
    if (source_bytes_ > limits_.source_bytes) {
        diagnostics_.add(Diagnostic(Severity::error, name, 0, 0,
                                    Message("grub.too_much_source", {{"limit", limits_.source_bytes}})));
        return nullptr;
    }
    std::string content = std::move(text).value();
    // GRUB skips every carriage return.
    if (content.find('\r') != content.npos) {
        content.erase(std::remove(content.begin(), content.end(), '\r'), content.end());
    }
    return &scripts_.emplace_back(std::move(name), std::move(content));
}

int Evaluator::do_source(const Call& call) {
    if (call.arguments.size() != 2) {
        report(Severity::warning, call, Message("grub.bad_arguments", {{"command", call.arguments[0]}}));
        return status::bad_argument;
    }
    const auto file = open_file(call, call.arguments[1]);
    if (!file) {
        return status::no_device;
    }
    if (const Script* script = read_script(&call, file->device, file->path)) {
        const bool outer = std::exchange(in_function_, false);
        run_script(*script, {0, static_cast<std::uint32_t>(script->text().size())});
        in_function_ = outer;
    }
    return status_;
}

// The menu of another configuration stands for ours, which comes back only where somebody leaves it.
void Evaluator::open_menu(const Call& call, const DeviceRef& device, const std::string& path) {
    if (depth_ >= limits_.source_depth) {
        report(Severity::error, call, Message("grub.source_too_deep", {{"limit", limits_.source_depth}}));
        return;
    }
    const Script* script = read_script(&call, device, path);
    if (script == nullptr) {
        return;
    }
    const Environment::Scope scope(environment_);
    environment_.hide_unexported();
    const std::string name = "(" + device_name(device) + ")" + path;
    environment_.set("config_file", name);
    environment_.set("config_directory", parent_path(name));
    Menu menu;
    Menu* const outer_menu = std::exchange(menu_, &menu);
    Loaded* const outer_loaded = std::exchange(loaded_, nullptr);
    const std::uint32_t outer_loops = std::exchange(loops_, 0);
    const bool outer_function = std::exchange(in_function_, false);
    run_script(*script, {0, static_cast<std::uint32_t>(script->text().size())});
    menu_ = outer_menu;
    if (!menu.items.empty()) {
        const bool inherits = outer_loaded == nullptr || outer_loaded->is_default;
        const bool holds_default = inherits && !default_is_inside_;
        if (holds_default && outer_loaded == nullptr) {
            record_menu_settings();
        }
        finish_menu(menu, holds_default, *script);
        default_is_inside_ = default_is_inside_ || (holds_default && outer_loaded == nullptr);
    }
    loaded_ = outer_loaded;
    loops_ = outer_loops;
    in_function_ = outer_function;
    if (loaded_ != nullptr) {
        loaded_->menu = loaded_->menu || !menu.items.empty();
    }
}

int Evaluator::do_configfile(const Call& call) {
    if (call.arguments.size() != 2) {
        report(Severity::warning, call, Message("grub.bad_arguments", {{"command", call.arguments[0]}}));
        return status::bad_argument;
    }
    const auto file = open_file(call, call.arguments[1]);
    if (!file) {
        return status::no_device;
    }
    open_menu(call, file->device, file->path);
    return status::ok;
}

int Evaluator::do_normal(const Call& call) {
    const std::string name = call.arguments.size() > 1 ? std::string(call.arguments[1])
                                                       : std::string(environment_.get("prefix")) + "/grub.cfg";
    const auto file = open_file(call, name);
    if (!file) {
        return status::no_device;
    }
    open_menu(call, file->device, file->path);
    return status::ok;
}

int Evaluator::do_load_env(const Call& call) {
    const CommandOptions options = read_options(call.arguments, env_options);
    const auto file = open_file(call, environment_file(options, environment_.get("prefix")));
    if (!file) {
        return status::no_device;
    }
    const auto text = source_.read(file->device, file->path, environment_bytes);
    if (!text) {
        report(Severity::note, call, text.error().message());
        return status::no_file;
    }
    const EnvironmentBlock block = parse_environment_block(*text, display_name(file->device, file->path));
    for (const Diagnostic& diagnostic : block.diagnostics) {
        diagnostics_.add(diagnostic);
    }
    for (const auto& [variable, value] : block.variables) {
        const bool wanted = options.rest.empty() ||
                            std::find(options.rest.begin(), options.rest.end(), variable) != options.rest.end();
        if (wanted && set_variable(call, variable, value) != status::ok) {
            return status::bad_argument;
        }
    }
    return status::ok;
}

int Evaluator::do_save_env(const Call& call) {
    const CommandOptions options = read_options(call.arguments, env_options);
    const auto file = open_file(call, environment_file(options, environment_.get("prefix")));
    if (!file) {
        return status::no_device;
    }
    GrubWrite write;
    write.device = file->device;
    write.path = file->path;
    for (const std::string_view variable : options.rest) {
        write.variables.emplace_back(variable, environment_.get(variable));
    }
    remember_write(call, std::move(write));
    return status::ok;
}

// The same command in each of two thousand entries is one write to tell of.
void Evaluator::remember_write(const Call& call, GrubWrite write) {
    constexpr std::size_t max_writes = 100;
    const auto same = [&](const GrubWrite& known) {
        return known.device == write.device && known.path == write.path && known.variables == write.variables;
    };
    if (result_.writes.size() < max_writes && std::none_of(result_.writes.begin(), result_.writes.end(), same)) {
        write.file = call.script.name();
        write.line = call.script.position(call.node.offset).line;
        result_.writes.push_back(std::move(write));
    }
}

int Evaluator::do_cat(const Call& call) {
    if (!options_.keep_output || call.arguments.size() < 2) {
        return status::ok;
    }
    const auto file = open_file(call, call.arguments.back());
    if (!file) {
        return status::no_device;
    }
    const auto text = source_.read(file->device, file->path, limits_.variable_bytes);
    if (!text) {
        return status::no_file;
    }
    print(*text);
    return status::ok;
}

int Evaluator::do_ls(const Call& call) {
    if (call.arguments.size() < 2) {
        return status::ok;
    }
    const auto file = open_file(call, call.arguments.back());
    const bool there =
        file && file->url.empty() &&
        source_.kind(file->device, file->path.empty() ? "/" : file->path) != FileSource::Kind::missing;
    return there ? status::ok : status::no_file;
}

}  // namespace stillboot::grub
