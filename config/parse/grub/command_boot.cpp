// SPDX-License-Identifier: Apache-2.0
// The commands by which an entry says what it boots.
#include <algorithm>

#include "config/parse/grub/evaluator.hpp"
#include "config/parse/grub/place.hpp"

namespace stillboot::grub {
namespace {

// As GRUB hands arguments to a kernel: one with blanks in it in double quotes, quotes and backslashes escaped.
void append_argument(std::string& line, std::string_view argument) {
    if (!line.empty()) {
        line += ' ';
    }
    const auto is_special = [](char c) { return c == ' ' || c == '\\' || c == '\'' || c == '"'; };
    if (std::none_of(argument.begin(), argument.end(), is_special)) {
        line += argument;
        return;
    }
    const bool blank = argument.find(' ') != argument.npos;
    line += blank ? "\"" : "";
    for (const char c : argument) {
        if (c == '\\' || c == '\'' || c == '"') {
            line += '\\';
        }
        line += c;
    }
    line += blank ? "\"" : "";
}

// "vmlinuz-6.1.0-18-amd64" names its version; a "vmlinuz" does not.
std::string version_of(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    for (const std::string_view prefix :
         {"vmlinuz-", "vmlinux-", "kernel-", "linux-", "bzImage-", "Image-", "zImage-"}) {
        if (name.substr(0, prefix.size()) == prefix) {
            return std::string(name.substr(prefix.size()));
        }
    }
    return {};
}

}  // namespace

bool Evaluator::fill_resource(const Call& call, std::string_view name, Resource& resource) {
    auto file = open_file(call, name);
    if (!file) {
        return false;
    }
    resource.device = std::move(file->device);
    resource.path = file->url.empty() ? std::move(file->path) : std::string();
    resource.url = std::move(file->url);
    return !resource.path.empty() || !resource.url.empty();
}

int Evaluator::do_linux(const Call& call) {
    if (loaded_ == nullptr) {
        report(Severity::note, call, Message("grub.outside_entry", {{"command", call.arguments[0]}}));
        return status::ok;
    }
    if (call.arguments.size() < 2) {
        report(Severity::warning, call, Message("grub.bad_arguments", {{"command", call.arguments[0]}}));
        return status::bad_argument;
    }
    BootOption& option = loaded_->option;
    option.initrds.clear();
    option.args.clear();
    loaded_->other = {};
    loaded_->kernel = fill_resource(call, call.arguments[1], option.kernel);
    if (!loaded_->kernel) {
        loaded_->explained = true;
        return status::no_file;
    }
    std::size_t length = 0;
    for (const std::string_view argument : call.arguments.subspan(2)) {
        length += argument.size() + 1;
    }
    option.args.reserve(length);
    for (const std::string_view argument : call.arguments.subspan(2)) {
        append_argument(option.args, argument);
    }
    option.version = version_of(call.arguments[1]);
    return status::ok;
}

int Evaluator::do_initrd(const Call& call) {
    if (loaded_ == nullptr) {
        report(Severity::note, call, Message("grub.outside_entry", {{"command", call.arguments[0]}}));
        return status::ok;
    }
    if (!loaded_->kernel) {
        if (!loaded_->explained) {
            report(Severity::warning, call, Message("grub.initrd_without_kernel"));
        }
        return status::failed;
    }
    auto& initrds = loaded_->option.initrds;
    initrds.clear();
    initrds.reserve(call.arguments.size() - 1);
    for (const std::string_view name : call.arguments.subspan(1)) {
        Resource resource;
        if (name.substr(0, 5) == "newc:") {
            report(Severity::warning, call, Message("grub.newc", {{"file", name}}));
        } else if (fill_resource(call, name, resource)) {
            initrds.push_back(std::move(resource));
            continue;
        }
        // GRUB would not boot the entry either.
        loaded_->kernel = false;
        loaded_->explained = true;
        return status::no_file;
    }
    return status::ok;
}

int Evaluator::do_devicetree(const Call& call) {
    if (loaded_ == nullptr) {
        report(Severity::note, call, Message("grub.outside_entry", {{"command", call.arguments[0]}}));
        return status::ok;
    }
    loaded_->option.devicetree.reset();
    if (call.arguments.size() < 2) {
        return status::ok;
    }
    Resource resource;
    if (!fill_resource(call, call.arguments[1], resource)) {
        loaded_->kernel = false;
        loaded_->explained = true;
        return status::no_file;
    }
    loaded_->option.devicetree = std::move(resource);
    return status::ok;
}

int Evaluator::do_other_loader(const Call& call) {
    if (loaded_ != nullptr) {
        loaded_->kernel = false;
        loaded_->other = permanent_.copy(call.arguments[0]);
    }
    return status::ok;
}

// Nothing after it is ever executed.
int Evaluator::do_boot(const Call& /*call*/) {
    if (loaded_ != nullptr) {
        flow_ = Flow::stop;
    }
    return status::ok;
}

// Nothing after these is ever executed, in an entry or before the menu.
int Evaluator::do_power(const Call& call) {
    // The firmware's menu is not reached from here, so that no entry should offer it.
    if (call.arguments.size() > 1 && call.arguments[1] == "--is-supported") {
        return status::failed;
    }
    if (loaded_ == nullptr) {
        report(Severity::note, call, Message("grub.outside_entry", {{"command", call.arguments[0]}}));
        flow_ = Flow::stop;
        return status::ok;
    }
    if (!loaded_->kernel && loaded_->other.empty()) {
        loaded_->other = permanent_.copy(call.arguments[0]);
    }
    flow_ = Flow::stop;
    return status::ok;
}

}  // namespace stillboot::grub
