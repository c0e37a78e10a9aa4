// SPDX-License-Identifier: Apache-2.0
// What keeps a user from unbinding by mistake, said before anything is touched.
#pragma once

#include <optional>
#include <vector>

#include "quiesce/caller.hpp"
#include "ui/cli/context.hpp"

namespace stillboot::cli {

/// The name of the way out, for the command line and the hint.
inline constexpr const char* cut_off_option = "--even-if-cut-off";

/// Not root, in a container, without a sysfs to write to, or with the devices unbound already, when only the
/// record of that knows how they were: there is no way out of these.
[[nodiscard]] std::optional<ExitCode> refuse_where_impossible(const Context& context, const Root& root);

/// A kernel without unbind files; and, unless `even_if_cut_off`, a session that would end by its own order.
[[nodiscard]] std::optional<ExitCode> refuse_cut_off(const Context& context, const Root& root,
                                                     const quiesce::Inventory& inventory,
                                                     const quiesce::Plan& plan, bool even_if_cut_off);

/// Of this machine: that they see less, and nothing for root.
[[nodiscard]] std::optional<Message> what_others_than_root_miss(const Context& context);

/// For a plan that is only looked at: what refuse_cut_off() would refuse, and that others than root see less.
[[nodiscard]] std::vector<Message> notes_for_the_caller(const Context& context, const Root& root,
                                                        const quiesce::Plan& plan);

}  // namespace stillboot::cli
