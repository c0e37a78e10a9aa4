// SPDX-License-Identifier: Apache-2.0
// Running the script.
#include "daemon/handover/script.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "daemon/handover/machine_ports.hpp"

namespace stillboot::handover {
namespace {

constexpr const char* fetched_path = "/run/stillboot/script";

/// The file beside the log: it is whole where the log has other things to keep.
class ScriptLog {
public:
    explicit ScriptLog(const Root& root) {
        auto file = root.open_file(script_log_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
        file_ = file ? std::move(*file) : UniqueFd();
    }
    void add(const std::string& line) {
        bytes_ += line.size() + 1;
        if (file_ && bytes_ <= max_script_log_bytes) {
            (void)write_all(file_.get(), line + "\n", script_log_path);
        }
    }

    void end(const std::string& line) {
        if (file_) {
            (void)write_all(file_.get(), line + "\n", script_log_path);
        }
    }

private:
    UniqueFd file_;
    std::size_t bytes_ = 0;
};

/// Where the file is for programs. @error those of the fetcher, and of the copy
Result<std::string> place_of(const Root& root, Fetcher& fetcher, const ImageSource& source, std::stop_token stop) {
    if (source.node.empty()) {
        return path_outside(root, source.path);
    }
    const auto fetched = fetcher.fetch(source, max_script_bytes, [](auto, auto) {}, stop);
    if (!fetched) {
        return fetched.error();
    }
    ::lseek(fetched->get(), 0, SEEK_SET);
    const auto text = read_all(fetched->get(), max_script_bytes, source.path);
    if (!text) {
        return text.error();
    }
    if (auto kept = root.replace_file(fetched_path, *text, 0700); !kept) {
        return kept.error();
    }
    return path_outside(root, fetched_path);
}

// By its "#!"; what has none, or lies where nothing may be executed, is a script of the shell.
Result<SessionOutcome> run_by_itself_or_by_shell(SessionCommand command) {
    auto outcome = run_session(command);
    const int refused = outcome ? 0 : outcome.error().error_number();
    if (refused != ENOEXEC && refused != EACCES) {
        return outcome;
    }
    command.argv.insert(command.argv.begin(), "/bin/sh");
    return run_session(command);
}

}  // namespace

std::optional<Message> run_script(const Root& root, Fetcher& fetcher, const ScriptOrder& order,
                                  const Hooks::Say& say, std::stop_token stop) {
    auto place = place_of(root, fetcher, order.source, stop);
    if (!place) {
        return place.error().message();
    }
    if (::access(place->c_str(), R_OK) != 0) {
        return Error::from_errno(errno, "base.open_failed", {{"path", *place}}).message();
    }
    ScriptLog log(root);
    std::size_t lines = 0;
    SessionCommand command;
    command.argv = {std::move(*place)};
    command.environment = plain_environment();
    command.environment.push_back("STILLBOOT_SCRIPT=" + order.source.path);
    command.environment.push_back("STILLBOOT_SOCKET=" + order.socket);
    command.deadline = order.deadline;
    command.max_lines = max_script_log_bytes;
    command.stop = stop;
    command.on_line = [&](const std::string& line) {
        log.add(line);
        if (++lines <= max_script_log_lines) {
            say(Message("daemon.script_said", {{"line", line}}));
        }
    };
    const auto outcome = run_by_itself_or_by_shell(std::move(command));
    const auto failure = outcome ? why_failed(*outcome, order.deadline) : std::optional(outcome.error().message());
    log.end("stillbootd: " + (failure ? *failure : Message("daemon.script_done")).sentence());
    return failure;
}

ScriptRunner::ScriptRunner(boost::asio::any_io_executor loop, const Root& root, Hooks::Say say)
    : loop_(loop), root_(root), say_(std::move(say)), thread_(std::move(loop)) {}

ScriptRunner::~ScriptRunner() {
    stop();
}

void ScriptRunner::start(ScriptOrder order, Done done) {
    thread_.start(
        [&root = root_, order = std::move(order), say = on_loop(loop_, say_), stop = stop_.get_token()] {
            ProgramFetcher fetcher;
            return run_script(root, fetcher, order, say, stop);
        },
        std::move(done));
}

}  // namespace stillboot::handover
