// SPDX-License-Identifier: Apache-2.0
// What the daemon has told so far: the same state that every other client sees.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/protocol/types.hpp"

namespace stillboot::menu {

class Mirror {
public:
    static constexpr std::size_t max_log_lines = 2000;

    /// Takes an event of Watch. A whole one replaces everything; the first one after set_aside() that is not goes
    /// on from what was there then.
    void apply(const protocol::Change& change);
    /// Takes lines of the log; those with a number seen before are left out, and the oldest past the limit go.
    void add_log(const std::vector<protocol::LogLine>& lines);
    /// The log is told from its beginning, perhaps by another daemon, which counts from 1 again.
    void clear_log();
    /// Shows nothing: the connection is gone, and what it told is old. It is kept for one that goes on from there.
    void set_aside();

    [[nodiscard]] const protocol::State& state() const { return told_.state; }
    /// Devices in the fixed order. Lifetime: until the next change.
    [[nodiscard]] const std::vector<const protocol::Device*>& devices() const { return sorted_devices_; }
    /// The options of a device in their configuration's order. Lifetime: until the next change.
    [[nodiscard]] std::vector<const protocol::Option*> options_of(const std::string& device) const;
    /// Options of devices that are not known; a daemon in its right mind has none.
    [[nodiscard]] std::vector<const protocol::Option*> orphans() const;
    [[nodiscard]] const protocol::Option* option(const std::string& id) const;
    [[nodiscard]] const protocol::Device* device(const std::string& id) const;
    /// The title of an option, or the id where it is gone.
    [[nodiscard]] std::string title_of(const std::string& id) const;
    [[nodiscard]] std::size_t option_count() const { return told_.options.size(); }
    [[nodiscard]] const std::deque<protocol::LogLine>& log() const { return log_; }

private:
    struct Told {
        protocol::State state;
        std::map<std::string, protocol::Option> options;
        std::map<std::string, protocol::Device> devices;
    };

    Told told_;
    std::optional<Told> aside_;
    std::multimap<std::string, const protocol::Option*> by_device_;
    std::vector<const protocol::Device*> sorted_devices_;
    std::deque<protocol::LogLine> log_;
    std::uint64_t last_log_seq_ = 0;
    bool has_log_ = false;
};

}  // namespace stillboot::menu
