// SPDX-License-Identifier: Apache-2.0
// What a hand-over loads: fetched, unwrapped, joined, with its command line.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "kexec/handover/ports.hpp"
#include "kexec/unwrap.hpp"

namespace stillboot::handover {

/// The images of one request. Lifetime: borrows the request and the ports. Thread: one; blocking.
class Images {
public:
    /// Of a fetch under way in bytes, and of what is worth knowing (zeros).
    using Tell = std::function<void(Step at, Message message, std::uint64_t done, std::uint64_t total)>;

    Images(const Request& request, const Ports& ports, Tell tell)
        : request_(request), ports_(ports), tell_(std::move(tell)) {}

    /// All files, each as a sealed memfd, within the memory that is there.
    /// @error those of available_memory() and of Fetcher::fetch()
    Result<void> fetch(std::stop_token stop);
    /// The kernel out of its wrappings, the initrds in one, the command line decided. After fetch().
    /// @error those of kexec::unwrap(), check_command_line(), check_devicetree(), join_initrds()
    Result<void> unwrap();
    /// @error those of kexec::check_memory()
    [[nodiscard]] Result<void> check_memory() const;
    /// The next kernel's command line with one more word. @return false, and nothing changed, where it has no room
    [[nodiscard]] bool append(const std::string& word);
    /// For the loader; it borrows the descriptors.
    [[nodiscard]] kexec::LoadOrder order() const;
    [[nodiscard]] const std::string& command_line() const { return command_line_; }
    /// What unwrap() found worth knowing.
    [[nodiscard]] const std::vector<Message>& notes() const { return kernel_.notes; }

private:
    Result<UniqueFd> fetch_one(const ImageSource& source, std::uint64_t max_bytes, std::stop_token stop);

    const Request& request_;
    const Ports& ports_;
    Tell tell_;
    Clock::Instant last_progress_{};
    UniqueFd kernel_file_;
    std::vector<UniqueFd> initrds_;
    UniqueFd devicetree_;
    kexec::Unwrapped kernel_;
    UniqueFd initrd_;
    std::string command_line_;
};

}  // namespace stillboot::handover
