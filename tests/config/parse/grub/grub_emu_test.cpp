// SPDX-License-Identifier: Apache-2.0
// The evaluator beside GRUB's own: the same scripts must print the same.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "config/parse/grub/grub.hpp"
#include "tests/config/parse/grub/grub_emu.hpp"
#include "tests/config/parse/grub/script_generator.hpp"
#include "tests/config/parse/memory_source.hpp"

using namespace stillboot;

namespace {

std::string run_ours(const std::string& configuration) {
    test::MemorySource source;
    source.devices.front().files = {{"/grub.cfg", configuration}, {"/etc/passwd", "root"}};
    GrubOptions options;
    options.keep_output = true;
    options.platform = "emu";
    return evaluate_grub(source, "/grub.cfg", options).output;
}

bool has_long_line(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (end - at >= 79) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

}  // namespace

TEST_SUITE("grub_emu") {
    TEST_CASE("generated scripts print what grub-emu prints") {
        if (!test::have_grub_emu()) {
            std::cout << "skipped: grub-emu is not installed\n";
            std::exit(77);
        }
        const char* const wanted = std::getenv("STILLBOOT_EMU_SEED");
        const std::uint32_t first = wanted == nullptr ? 1 : static_cast<std::uint32_t>(std::atoi(wanted));
        const std::uint32_t last = wanted == nullptr ? 400 : first;
        const auto stop = std::chrono::steady_clock::now() + std::chrono::seconds(40);
        int compared = 0;
        for (std::uint32_t seed = first; seed <= last && std::chrono::steady_clock::now() < stop; ++seed) {
            const std::string script = test::ScriptGenerator(seed).script();
            const std::string ours = run_ours(script);
            // grub-emu folds what is wider than its screen.
            if (has_long_line(ours)) {
                continue;
            }
            ++compared;
            CAPTURE(seed);
            CAPTURE(script);
            REQUIRE(ours == test::run_grub_emu(script));
        }
        std::cout << compared << " generated scripts compared\n";
        CHECK(compared >= (wanted == nullptr ? 50 : 1));
    }
}
