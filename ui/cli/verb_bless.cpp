// SPDX-License-Identifier: Apache-2.0
// stillboot bless: the booted system says how it went with the entry that it was booted from; without the daemon.
#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "config/base/rename_file.hpp"
#include "daemon/handover/entry_counter.hpp"
#include "kexec/handover/count.hpp"
#include "quiesce/mounts.hpp"
#include "ui/cli/machine.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

using handover::Blessing;
using handover::EntryFile;
using handover::Verdict;

constexpr std::size_t max_command_line = 64 * 1024;

struct BlessOrder {
    Verdict verdict = Verdict::good;
    bool dry_run = false;
};

/// What is done with the entry's directory, wherever that is. @error those of blessing_of() and Root
Result<Blessing> bless_in(const Root& root, const std::string& directory, const std::string& name,
                          const BlessOrder& order) {
    const auto names = root.list(directory);
    if (!names) {
        return names.error();
    }
    auto blessing = handover::blessing_of(*names, name, order.verdict);
    if (!blessing || blessing->is_said() || order.dry_run) {
        return blessing;
    }
    const auto renamed = rename_file(root, directory + "/" + blessing->from, blessing->to);
    return renamed ? std::move(blessing) : renamed.error();
}

/// The place of the entry's directory in what is mounted; empty where it is not. @error those of read_own_mounts
Result<std::string> mounted_directory(const Root& root, const std::string& node, const std::string& directory) {
    const auto mounts = quiesce::read_own_mounts(root);
    if (!mounts) {
        return mounts.error();
    }
    const auto number = root.read_attribute("/sys/class/block/" + node.substr(node.rfind('/') + 1) + "/dev");
    for (const quiesce::Mount& mount : *mounts) {
        const bool is_it = mount.source == node || (number && mount.number == *number);
        std::string place = (mount.where == "/" ? "" : mount.where) + directory;
        if (is_it && root.exists(place)) {  // a part of it may be mounted elsewhere
            return place;
        }
    }
    return std::string();
}

/// On a file system that nobody has mounted.
Result<Blessing> bless_on(const std::string& node, const EntryFile& entry, const BlessOrder& order) {
    auto out = std::make_shared<Blessing>();  // the mount may hang, and outlive this
    const auto act = [out, directory = entry.directory, name = entry.name, order](const Root& root) {
        auto blessing = bless_in(root, directory, name, order);
        if (blessing) {
            *out = std::move(*blessing);
        }
        return blessing ? Result<void>() : Result<void>(blessing.error());
    };
    const auto done = handover::on_entries(node, act);
    return done ? Result<Blessing>(*out) : done.error();
}

ExitCode say(const Context& context, const BlessOrder& order, const std::string& directory,
             const Blessing& blessing) {
    const std::string path = directory + "/" + blessing.from;
    if (blessing.is_said()) {
        context.line(Message("cli.bless_said", {{"path", path}}).sentence());
    } else if (order.dry_run) {
        context.line(Message("cli.bless_would", {{"path", path}, {"name", blessing.to}}).sentence());
    } else {
        context.line(Message(order.verdict == Verdict::good ? "cli.blessed_good" : "cli.blessed_bad",
                             {{"path", path}, {"name", blessing.to}})
                         .sentence());
    }
    return ExitCode::done;
}

/// Where the entry is: on a node, and in what is mounted; that is empty where it has to be mounted.
struct Whereabouts {
    std::string node;
    std::string directory;
};

/// A disk and its copy have the same UUID: the one that this system has mounted is meant.
/// @error cli.bless_no_device, cli.bless_ambiguous, those of mounted_directory()
Result<Whereabouts> find_entry(const Root& root, const EntryFile& entry) {
    const auto nodes = handover::nodes_of(root, entry.device);
    std::vector<Whereabouts> mounted;
    std::string names;
    for (const std::string& node : nodes) {
        auto place = mounted_directory(root, node, entry.directory);
        if (!place) {
            return place.error();
        }
        if (!place->empty()) {
            mounted.push_back({node, std::move(*place)});
        }
        names += (names.empty() ? "" : ", ") + node;
    }
    const std::initializer_list<Message::Param> params = {{"path", entry.path()},
                                                          {"by", to_word(entry.device.kind)},
                                                          {"device", entry.device.value},
                                                          {"nodes", names}};
    if (nodes.empty()) {
        return Error("cli.bless_no_device", params);
    }
    if (mounted.size() == 1) {
        return std::move(mounted.front());
    }
    return nodes.size() == 1 ? Result<Whereabouts>(Whereabouts{nodes.front(), ""})
                             : Error("cli.bless_ambiguous", params);
}

ExitCode bless_entry(const Context& context, const Root& root, const EntryFile& entry, const BlessOrder& order) {
    const auto found = find_entry(root, entry);
    if (!found) {
        const ExitCode code = report(context, found.error());
        return found.error().code() == "cli.bless_no_device" ? ExitCode::not_found : code;
    }
    const auto& [node, place] = *found;
    const bool must_mount = place.empty();
    if (must_mount && (order.dry_run || context.root != "/")) {
        context.line(Message("cli.bless_would_mount", {{"path", entry.path()}, {"device", node}}).sentence());
        return ExitCode::done;
    }
    const auto blessing = must_mount ? bless_on(node, entry, order) : bless_in(root, place, entry.name, order);
    if (!blessing) {
        const ExitCode code = report(context, blessing.error());
        return blessing.error().code() == "handover.bless_missing" ? ExitCode::not_found : code;
    }
    return say(context, order, must_mount ? node + ":" + entry.directory : place, *blessing);
}

ExitCode bless(const Context& context, const BlessOrder& order) {
    if (const auto refused = order.dry_run ? std::nullopt : refuse_without_root(context)) {
        return *refused;
    }
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    const auto command_line = root->read_file("/proc/cmdline", max_command_line);
    if (!command_line) {
        return report(context, command_line.error());
    }
    const auto entry = handover::entry_to_bless(*command_line);
    if (!entry) {
        context.line(Message("cli.bless_none").sentence());
        return ExitCode::not_found;
    }
    return bless_entry(context, *root, *entry, order);
}

}  // namespace

void add_bless(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand(
        "bless", "Say that this system came up, so that the entry it was booted from counts no more tries");
    auto order = std::make_shared<BlessOrder>();
    auto bad = std::make_shared<bool>(false);
    verb->add_flag("--bad", *bad, "Say that it is no good: the entry has no try left");
    verb->add_flag("--dry-run", order->dry_run, "Say what would be done, and do nothing");
    verb->callback([&context, &action, order, bad] {
        order->verdict = *bad ? Verdict::bad : Verdict::good;
        action = [&context, order] { return bless(context, *order); };
    });
}

}  // namespace stillboot::cli
