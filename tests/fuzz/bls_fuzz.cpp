// SPDX-License-Identifier: Apache-2.0
// Any files as a loader directory: names and texts by turns, each ended by a NUL.
#include <algorithm>
#include <cstdint>

#include "config/parse/bls/bls.hpp"
#include "tests/config/parse/memory_source.hpp"

namespace {

std::string take_piece(std::string_view& rest) {
    const std::string piece(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
    return piece;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stillboot;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    test::MemorySource source;
    source.devices[0].files["/loader/loader.conf"] = take_piece(rest);
    source.devices[0].files["/k"] = "";
    while (!rest.empty()) {
        const std::string name = take_piece(rest);
        source.devices[0].files["/loader/entries/" + name] = take_piece(rest);
    }
    BlsOptions options;
    options.architecture = "x64";
    const Parsed parsed = parse_bls(source, options);
    const auto defaults = std::count_if(parsed.options.begin(), parsed.options.end(),
                                        [](const BootOption& option) { return option.is_default; });
    if (defaults != (parsed.options.empty() ? 0 : 1)) {
        __builtin_trap();
    }
    for (const BootOption& option : parsed.options) {
        if (option.id.empty() || option.kernel.path.empty() || option.kernel.path[0] != '/') {
            __builtin_trap();
        }
    }
    return 0;
}
