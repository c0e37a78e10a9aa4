// SPDX-License-Identifier: Apache-2.0
#include "daemon/main/options.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace stillboot;

namespace {

std::variant<Options, int> parse(std::vector<std::string> words) {
    words.insert(words.begin(), "stillbootd");
    std::vector<char*> argv;
    for (auto& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    return parse_options(static_cast<int>(words.size()), argv.data());
}

}  // namespace

TEST_SUITE("core") {
    TEST_CASE("options are read, and what is wrong is a usage error") {
        const auto options = std::get<Options>(parse({"--root=/r", "--socket", "/s", "--log=kmsg"}));
        CHECK(options.root == "/r");
        CHECK(options.socket == "/s");
        CHECK(options.log == Log::Sink::kmsg);
        CHECK(options.log_format == LogFormat::text);
        CHECK(options.autoboot);
        CHECK(std::get<Options>(parse({"--log=stderr:json"})).log_format == LogFormat::json);
        CHECK(std::get<Options>(parse({"--log=none:text"})).log == Log::Sink::none);
        CHECK(std::get<int>(parse({"--log=stderr:xml"})) == 2);
        CHECK_FALSE(std::get<Options>(parse({"--no-autoboot"})).autoboot);
        CHECK(std::get<int>(parse({"--log=paper"})) == 2);
        CHECK(std::get<int>(parse({"--nothing"})) == 2);
        CHECK(std::get<int>(parse({"word"})) == 2);
        CHECK(std::get<int>(parse({"--version"})) == 0);
        CHECK(std::get<int>(parse({"--help"})) == 0);
        CHECK(std::get<Options>(parse({})).socket == "/run/stillboot/io.stillboot");
    }
}
