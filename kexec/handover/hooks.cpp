// SPDX-License-Identifier: Apache-2.0
// Finding hooks, and running them.
#include "kexec/handover/hooks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <map>

namespace stillboot::handover {
namespace {

constexpr std::string_view shipped = "/usr/lib/stillboot/hooks/";
constexpr std::string_view administered = "/etc/stillboot/hooks/";
constexpr std::size_t max_value_bytes = 8192;
constexpr std::size_t max_hooks = 64;  // of one point

std::string variable(std::string_view name, std::string value) {
    value.resize(std::min(value.size(), max_value_bytes));
    for (char& c : value) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = '?';
        }
    }
    return std::string(name) + "=" + value;
}

bool is_masked(const Root& root, const std::string& path) {
    const auto there = root.lstat(path);
    if (there && S_ISLNK(there->st_mode)) {
        const auto target = root.read_link(path);
        return target && *target == "/dev/null";
    }
    return there && S_ISREG(there->st_mode) && there->st_size == 0;
}

std::map<std::string, std::string> by_name(const Root& root, HookPoint point) {
    std::map<std::string, std::string> paths;
    for (const std::string_view base : {shipped, administered}) {
        const std::string directory = std::string(base) + std::string(to_word(point)) + ".d";
        for (const std::string& name : root.list(directory).value_or(std::vector<std::string>())) {
            if (!name.starts_with('.')) {
                paths[name] = directory + "/" + name;
            }
        }
    }
    return paths;
}

std::string name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

bool may_refuse(HookPoint point) {
    return point == HookPoint::before_boot || point == HookPoint::before_quiesce;
}

}  // namespace

std::string_view to_word(HookPoint point) {
    switch (point) {
        case HookPoint::after_discovery: return "after-discovery";
        case HookPoint::before_boot: return "before-boot";
        case HookPoint::before_quiesce: return "before-quiesce";
        case HookPoint::on_failure: return "on-failure";
    }
    return "";
}

HookSubject subject_of(const Request& request) {
    HookSubject subject;
    subject.option = request.option_id;
    subject.title = request.title;
    subject.device = request.kernel.node;
    subject.kernel = request.kernel.url.empty() ? request.kernel.path : request.kernel.url;
    subject.arguments = request.command_line;
    subject.attempt = request.attempt;
    return subject;
}

std::vector<std::string> plain_environment() {
    return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LANG=C.UTF-8",
            "STILLBOOT_VERSION=" STILLBOOT_VERSION};
}

std::vector<std::string> hook_environment(HookPoint point, const HookSubject& subject) {
    std::vector<std::string> all = plain_environment();
    all.push_back(variable("STILLBOOT_HOOK", std::string(to_word(point))));
    all.push_back(variable("STILLBOOT_OPTION", subject.option));
    all.push_back(variable("STILLBOOT_TITLE", subject.title));
    all.push_back(variable("STILLBOOT_DEVICE", subject.device));
    all.push_back(variable("STILLBOOT_KERNEL", subject.kernel));
    all.push_back(variable("STILLBOOT_ARGS", subject.arguments));
    all.push_back(variable("STILLBOOT_REASON", subject.reason));
    all.push_back(variable("STILLBOOT_ATTEMPT", subject.attempt == 0 ? "" : std::to_string(subject.attempt)));
    return all;
}

FoundHooks find_hooks(const Root& root, HookPoint point) {
    FoundHooks found;
    for (const auto& [name, path] : by_name(root, point)) {
        const auto there = root.stat(path);
        if (is_masked(root, path)) {
            continue;
        }
        const bool is_file = !there || S_ISREG(there->st_mode);
        const bool starts = there && is_file && (there->st_mode & S_IXUSR) != 0;
        if (may_refuse(point) && is_file) {
            found.paths.push_back(path);
        } else if (!starts) {
            found.notes.emplace_back("handover.hook_not_executable",
                                     std::initializer_list<Message::Param>{{"path", path}});
        } else if (found.paths.size() == max_hooks) {
            found.notes.emplace_back("handover.hooks_too_many",
                                     std::initializer_list<Message::Param>{{"path", path}, {"count", max_hooks}});
        } else {
            found.paths.push_back(path);
        }
    }
    return found;
}

Result<std::string> path_outside(const Root& root, const std::string& path) {
    std::array<char, PATH_MAX> directory;
    const std::string link = "/proc/self/fd/" + std::to_string(root.fd());
    const ssize_t length = ::readlink(link.c_str(), directory.data(), directory.size());
    if (length <= 0) {
        return Error::from_errno(errno, "base.read_failed", {{"path", link}});
    }
    const std::string_view name(directory.data(), static_cast<std::size_t>(length));
    return name == "/" ? path : std::string(name) + path;
}

std::optional<Message> why_failed(const SessionOutcome& outcome, std::chrono::milliseconds deadline) {
    using End = SessionOutcome::End;
    switch (outcome.end) {
        case End::exited: break;
        case End::signalled: return Message("handover.program_signalled", {{"signal", outcome.status}});
        case End::deadline:
            return Message("handover.program_too_slow",
                           {{"seconds", std::chrono::ceil<std::chrono::seconds>(deadline).count()}});
        case End::stopped: return Message("handover.cancelled");
    }
    if (outcome.status == 0) {
        return std::nullopt;
    }
    if (outcome.last_line.empty()) {
        return Message("handover.program_failed", {{"status", outcome.status}});
    }
    return Message("handover.program_said", {{"line", outcome.last_line}, {"status", outcome.status}});
}

std::vector<std::string> SystemHooks::names(HookPoint point) {
    std::vector<std::string> names;
    for (const std::string& path : find_hooks(root_, point).paths) {
        names.push_back(name_of(path));
    }
    return names;
}

Result<void> SystemHooks::run_one(const std::string& path, HookPoint point, const HookSubject& subject,
                                  const Say& say, std::stop_token stop) const {
    const auto failed = [&](const Message& why) {
        return Error("handover.hook_failed",
                     {{"point", to_word(point)}, {"name", name_of(path)}, {"why", why.sentence()}});
    };
    auto program = path_outside(root_, path);
    if (!program) {
        return failed(program.error().message());
    }
    SessionCommand command;
    command.argv = {std::move(*program)};
    command.environment = hook_environment(point, subject);
    command.deadline = deadline_;
    command.stop = stop;
    command.on_line = [&](const std::string& line) {
        say(Message("handover.hook_said", {{"name", name_of(path)}, {"line", line}}));
    };
    const auto outcome = run_session(command);
    if (!outcome) {
        return failed(outcome.error().message());
    }
    if (outcome->dropped_lines > 0) {
        say(Message("handover.hook_dropped", {{"name", name_of(path)}, {"count", outcome->dropped_lines}}));
    }
    const auto why = why_failed(*outcome, deadline_);
    if (outcome->end == SessionOutcome::End::stopped) {
        return Error(*why);
    }
    return why ? Result<void>(failed(*why)) : Result<void>();
}

// What was put there to have its say about a boot must not be passed over because it cannot be heard.
Result<void> SystemHooks::check(const FoundHooks& found, HookPoint point) const {
    const auto failed = [&](const std::string& path, const char* code) {
        return Error("handover.hook_failed", {{"point", to_word(point)},
                                              {"name", name_of(path)},
                                              {"why", Message(code, {{"count", max_hooks}}).sentence()}});
    };
    if (found.paths.size() > max_hooks) {
        return failed(found.paths[max_hooks], "handover.hook_beyond");
    }
    for (const std::string& path : found.paths) {
        const auto there = root_.stat(path);
        if (there && (there->st_mode & S_IXUSR) == 0) {
            return failed(path, "handover.hook_no_x");
        }
    }
    return {};
}

Result<void> SystemHooks::run(HookPoint point, const HookSubject& subject, const Say& say, std::stop_token stop) {
    const FoundHooks found = find_hooks(root_, point);
    std::for_each(found.notes.begin(), found.notes.end(), say);
    Result<void> all = check(found, point);
    if (!all) {
        return all;
    }
    for (const std::string& path : found.paths) {
        auto done = run_one(path, point, subject, say, stop);
        const bool ends = !done && (may_refuse(point) || stop.stop_requested());
        if (ends) {
            return done;
        }
        if (!done) {
            say(done.error().message());
            all = all ? std::move(done) : std::move(all);
        }
    }
    return all;
}

}  // namespace stillboot::handover
