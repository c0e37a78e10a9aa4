// SPDX-License-Identifier: Apache-2.0
// Which files one side of TLS needs.
#pragma once

#include <string>

namespace stillboot::tls {

/// Paths of PEM files: the own certificate with its key, and the authority that signs the other side's.
struct Files {
    std::string certificate;
    std::string key;
    std::string authority;
};

}  // namespace stillboot::tls
