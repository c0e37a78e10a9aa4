// SPDX-License-Identifier: Apache-2.0
// Recording this machine's devices, and reading what was recorded.
#include "ui/cli/inventory_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <ctime>
#include <ostream>

namespace stillboot::cli {

ExitCode record_inventory(const Context& context, bool identities) {
    const auto root = Root::open(context.root);
    if (!root) {
        return report(context, root.error());
    }
    auto inventory = quiesce::read_inventory(*root);
    if (!inventory) {
        return report(context, inventory.error());
    }
    quiesce::RecordedInventory recorded;
    recorded.head = quiesce::head_of_this_machine(std::time(nullptr));
    recorded.head.identities = identities;
    recorded.inventory = identities ? *std::move(inventory) : quiesce::without_identities(*std::move(inventory));
    context.out << quiesce::to_text(recorded);
    return ExitCode::done;
}

Result<quiesce::RecordedInventory> inventory_of_file(const std::string& path) {
    const UniqueFd opened(path == "-" ? ::dup(STDIN_FILENO)
                                      : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!opened) {
        return Error::from_errno(errno, "base.open_failed", {{"path", path}});
    }
    const auto text = read_all(opened.get(), quiesce::RecordedInventory::max_bytes, path);
    if (!text) {
        return text.error();
    }
    return quiesce::inventory_from_json(*text);
}

}  // namespace stillboot::cli
