// SPDX-License-Identifier: Apache-2.0
#include "daemon/loop/log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "config/base/root.hpp"
#include "tests/temporary_tree.hpp"

using namespace stillboot;

namespace {

// What is written to stderr meanwhile.
class Stderr {
public:
    Stderr() : before_(::dup(STDERR_FILENO)) {
        const UniqueFd file(::open(path().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        ::dup2(file.get(), STDERR_FILENO);
    }
    ~Stderr() { ::dup2(before_.get(), STDERR_FILENO); }
    [[nodiscard]] std::string text() const { return tree_.root().read_file("stderr", 1 << 20).value(); }

private:
    [[nodiscard]] std::string path() const { return (tree_.path() / "stderr").string(); }

    test::TemporaryTree tree_;
    UniqueFd before_;
};

LogEntry said(const std::string& text) {
    LogEntry entry = entry_of(LogLevel::warning, Message("daemon.said", {{"text", text}}));
    entry.seq = 7;
    entry.time_ms = 1000;
    return entry;
}

}  // namespace

TEST_SUITE("loop") {
    TEST_CASE("the log keeps its last lines, each on one line, whatever its sink is given") {
        Log log(Log::Sink::none, LogLevel::error);
        std::size_t heard = 0;
        log.listen([&](const LogEntry&) { ++heard; });
        log.debug(Message("daemon.said", {{"text", "a\nb\x1b[2J"}}));
        CHECK(log.lines().back().text == "a?b?[2J");
        CHECK(log.lines().back().code == "daemon.said");
        CHECK(log.lines().back().params == std::vector<Message::Param>{{"text", "a\nb\x1b[2J"}});
        log.info(Message("daemon.said", {{"text", std::string(5000, 'x')}}));
        CHECK(log.lines().back().text.size() == max_log_line_bytes);
        CHECK(log.lines().back().params.empty());
        for (std::size_t i = 0; i < 2 * Log::max_lines; ++i) {
            log.info(Message("daemon.stopping"));
        }
        CHECK(log.lines().size() == Log::max_lines);
        CHECK(heard == 2 * Log::max_lines + 2);
        CHECK(log.lines().back().seq == heard);
    }

    TEST_CASE("long lines take no more memory than short ones") {
        Log log(Log::Sink::none, LogLevel::info);
        for (std::size_t i = 0; i < Log::max_lines; ++i) {
            log.info(Message("daemon.said", {{"text", std::string(900, 'x')}}));
        }
        std::size_t bytes = 0;
        for (const LogEntry& entry : log.lines()) {
            bytes += entry.bytes();
        }
        CHECK(bytes <= Log::max_bytes);
        CHECK(bytes > Log::max_bytes - 3 * max_log_line_bytes);
        CHECK(log.lines().back().seq == Log::max_lines);
    }

    TEST_CASE("a line as JSON has its code and parameters") {
        CHECK(json_line(said("a \"b\"\n\xff"), 4096) ==
              R"({"time_ms":1000,"seq":7,"severity":"warning","code":"daemon.said","text":"a \"b\"?)"
              "\xEF\xBF\xBD"
              R"(","parameters":{"text":"a \"b\"?)"
              "\xEF\xBF\xBD"
              R"("}})");
    }

    TEST_CASE("a line as JSON that would be too long goes without its parameters, then with its text cut") {
        const std::string head = R"({"time_ms":1000,"seq":7,"severity":"warning","code":"daemon.said","text":")";
        CHECK(json_line(said(std::string(100, 'x')), 250) == head + std::string(100, 'x') + "\"}");
        for (std::size_t limit = head.size() + 2; limit < 400; ++limit) {
            const std::string line = json_line(said(std::string(100, '"') + std::string(300, '\xff')), limit);
            CAPTURE(line);
            CHECK(line.size() <= limit);
            CHECK(boost::json::parse(line).at("seq") == 7);
        }
    }

    TEST_CASE("what is below the least level is not written, as text or as JSON") {
        std::string text;
        {
            const Stderr stream;
            Log log(Log::Sink::stderr_stream, LogLevel::warning);
            log.info(Message("daemon.stopping"));
            log.warning(Message("daemon.said", {{"text", "one"}}));
            log.set_least(LogLevel::info);
            log.info(Message("daemon.stopping"));
            Log other(Log::Sink::stderr_stream, LogLevel::info, LogFormat::json);
            other.info(Message("daemon.stopping"));
            text = stream.text();
        }
        const std::string lines = "stillbootd: one\nstillbootd: stillbootd ends\n";
        REQUIRE(text.starts_with(lines));
        const auto json = boost::json::parse(text.substr(lines.size()));
        CHECK(json.at("text") == "stillbootd ends");
        CHECK(json.at("parameters").as_object().empty());
    }
}
