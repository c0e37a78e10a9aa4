// SPDX-License-Identifier: Apache-2.0
// stillbootd.
#include <cstdio>
#include <exception>

#include "daemon/main/daemon.hpp"

int main(int argc, char** argv) {
    using namespace stillboot;
    auto parsed = parse_options(argc, argv);
    if (const int* status = std::get_if<int>(&parsed)) {
        return *status;
    }
    auto& options = std::get<Options>(parsed);
    auto root = Root::open(options.root);
    if (!root) {
        std::fprintf(stderr, "stillbootd: %s\n", root.error().sentence().c_str());
        return 1;
    }
    try {
        Daemon daemon(std::move(options), std::move(*root));
        return daemon.run();
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "stillbootd: %s\n", thrown.what());
        return 1;
    }
}
