// SPDX-License-Identifier: Apache-2.0
// stillboot-password: compares a password with its hash, or makes the hash, with libcrypt. Its order comes over
// descriptor 3, once; nothing but memory is left to it by then, and that is gone with it.
#include <crypt.h>
#include <string.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "daemon/password/wire.hpp"
#include "daemon/probe/helper.hpp"
#include "daemon/probe/sandbox.hpp"
#include "daemon/probe/wire.hpp"

namespace stillboot::password {
namespace {

bool confine() {
    probe::Limits limits;
    limits.memory_bytes = std::uint64_t{1024} * 1024 * 1024;  // what yescrypt's higher costs take on purpose
    limits.cpu_seconds = 20;
    limits.file_bytes = 0;
    return probe::limit_process(limits) && probe::keep_capabilities(0) &&
           probe::allow_only(probe::Calls::memory_only);
}

// As long for one that differs in its first character as for one that differs in its last.
bool same(std::string_view a, std::string_view b) {
    unsigned difference = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
    }
    return difference == 0;
}

std::optional<std::string> crypt_by(const char* phrase, const char* setting) {
    const auto data = std::make_unique<struct crypt_data>();
    const char* hash = ::crypt_rn(phrase, setting, data.get(), sizeof(struct crypt_data));
    return hash != nullptr ? std::optional<std::string>(hash) : std::nullopt;
}

// The best method that this libcrypt has, at its usual cost.
std::optional<std::string> make(const char* phrase) {
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (::crypt_gensalt_rn(nullptr, 0, nullptr, 0, setting, sizeof setting) == nullptr) {
        return std::nullopt;
    }
    return crypt_by(phrase, setting);
}

// A hash that crypt() makes of anything by the method, the cost and the salt of this one has its form.
bool can_match(const std::string& hash) {
    const auto made = crypt_by("x", hash.c_str());
    const std::size_t method = hash.rfind('$') + 1;
    return made && made->size() == hash.size() && made->compare(0, method, hash, 0, method) == 0;
}

std::optional<std::string> answer(const std::string& hash, const char* phrase) {
    if (hash.empty()) {
        return make(phrase);
    }
    if (*phrase == '\0') {
        return std::string(can_match(hash) ? right : wrong);
    }
    const auto made = crypt_by(phrase, hash.c_str());
    return made ? std::optional(std::string(same(*made, hash) ? right : wrong)) : std::nullopt;
}

int run() {
    ::signal(SIGPIPE, SIG_IGN);
    if (!confine()) {
        return 2;
    }
    const auto packet = probe::receive_packet(probe::helper_socket);
    if (!packet || !*packet) {
        return 2;
    }
    const std::string& order = (*packet)->text;
    const std::size_t end = order.find('\0');
    if (end == order.npos || order.find('\0', end + 1) != order.npos) {
        return 2;
    }
    const auto said = answer(order.substr(0, end), order.c_str() + end + 1);
    if (!said) {
        return 1;
    }
    return probe::send_packet(probe::helper_socket, *said) ? 0 : 2;
}

}  // namespace
}  // namespace stillboot::password

int main() {
    ::_exit(stillboot::password::run());
}
