// SPDX-License-Identifier: Apache-2.0
// Drivers that an unbind has been seen to fail with, so that they are left alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/message.hpp"

namespace stillboot::quiesce {

struct Learned {
    enum class Why {
        hung,     ///< its unbind did not return
        crashed,  ///< it died in the kernel
        died,     ///< the machine went down while its unbind was under way, among others perhaps
    };
    std::string driver;
    std::string bus;
    std::string device;  ///< name of the device it happened with last
    Why why = Why::hung;
    unsigned times = 1;

    /// What went down with others once may have been bystander: it is kept from the second time on.
    [[nodiscard]] bool is_kept() const { return why != Why::died || times > 1; }
    [[nodiscard]] bool names(std::string_view a_driver, std::string_view a_bus) const {
        return driver == a_driver && bus == a_bus;
    }
    /// "the unbind of ixgbe (pci) hung with 0000:01:00.0".
    [[nodiscard]] Message message() const;
    bool operator==(const Learned&) const = default;
};

/// "hung", "crashed", "died". Lifetime: static.
[[nodiscard]] std::string_view to_word(Learned::Why why);

/// True for what Learned::message() makes.
[[nodiscard]] bool is_learned(const Message& message);

/// Adds what was seen to what is known of the same driver: a hang or a crash outweighs having been there.
void learn(std::vector<Learned>& known, Learned seen);

}  // namespace stillboot::quiesce
