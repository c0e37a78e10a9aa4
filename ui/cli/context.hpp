// SPDX-License-Identifier: Apache-2.0
// What every verb is given: where to print, in which form, and whom to talk to.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "config/base/result.hpp"
#include "daemon/client/address.hpp"
#include "ui/menu/text.hpp"

namespace stillboot::cli {

/// Stable: scripts depend on these numbers.
enum class ExitCode { done = 0, failed = 1, usage = 2, not_found = 3, refused = 4, unreachable = 5 };

enum class JsonForm { off, pretty, compact };

/// Lifetime: the streams outlive it.
struct Context {
    Context(std::ostream& standard_output, std::ostream& standard_error)
        : out(standard_output), err(standard_error) {}

    std::ostream& out;
    std::ostream& err;
    menu::Charset charset = menu::Charset::utf8;
    JsonForm json = JsonForm::off;
    client::Address daemon;   ///< whom to talk to
    bool host_named = false;  ///< by --host: also for what this machine could tell without a daemon
    std::string root = "/";   ///< for the verbs that look at the machine themselves

    [[nodiscard]] bool wants_json() const { return json != JsonForm::off; }
    /// Prints one line. Control characters in it, which may come from a disk, reach no terminal.
    void line(std::string_view text) const;
    /// The same on the standard error.
    void complain(std::string_view text) const;
};

/// What a verb does once the command line is read.
using Action = std::function<ExitCode()>;

/// Says an error in words, with what to do next where that is known, and gives the exit code for it.
[[nodiscard]] ExitCode report(const Context& context, const Error& error);

}  // namespace stillboot::cli
