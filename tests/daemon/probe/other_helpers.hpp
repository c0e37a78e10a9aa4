// SPDX-License-Identifier: Apache-2.0
// Scripts in the place of the helpers, for what the real ones would not do.
#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "tests/temporary_tree.hpp"

namespace stillboot::test {

/// Programs in the place of the helpers, for what ours would not do; the real ones stand there again afterwards.
class OtherHelpers {
public:
    explicit OtherHelpers(const std::string& script) {
        for (const char* name : {"stillboot-probe", "stillboot-fetch", "stillboot-password"}) {
            tree_.file(name, "#!/bin/sh\n" + script + "\n");
            ::chmod((tree_.path() / name).c_str(), 0755);
        }
        ::setenv("STILLBOOT_LIBEXEC", tree_.path().c_str(), 1);
    }
    OtherHelpers(const OtherHelpers&) = delete;
    OtherHelpers& operator=(const OtherHelpers&) = delete;
    ~OtherHelpers() { ::setenv("STILLBOOT_LIBEXEC", real_.c_str(), 1); }

private:
    std::string real_ = std::getenv("STILLBOOT_LIBEXEC");
    TemporaryTree tree_;
};

}  // namespace stillboot::test
