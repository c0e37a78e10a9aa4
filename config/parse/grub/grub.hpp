// SPDX-License-Identifier: Apache-2.0
// The GRUB configuration evaluator: a grub.cfg in, the boot options that its menu offers out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model/diagnostic.hpp"
#include "config/parse/file_source.hpp"

namespace stillboot {

/// What one evaluation may use. Each bound that is met is a diagnostic, and what was found until then stays.
struct GrubLimits {
    std::size_t file_bytes = 16U << 20;        ///< one configuration file
    std::size_t source_bytes = 64U << 20;      ///< all of them together
    std::size_t variable_bytes = 64U << 10;    ///< one variable, or one word after expansion
    std::size_t expansion_bytes = 256U << 20;  ///< everything that expansion makes, over the whole evaluation
    std::size_t output_bytes = 64U << 20;      ///< the options
    std::size_t menu_entries = 20'000;         ///< menu entries and submenus together
    std::size_t diagnostics = 1'000;
    std::size_t variables = 10'000;
    std::uint32_t source_depth = 16;      ///< files that read files, evaluated strings, submenus
    std::uint32_t call_depth = 64;        ///< functions in functions
    std::uint32_t nesting_depth = 64;     ///< if, for, while and blocks within each other
    std::uint32_t loop_rounds = 100'000;  ///< of one loop
    std::uint64_t steps = 5'000'000;      ///< commands executed
};

struct GrubOptions {
    /// $grub_platform and $grub_cpu: what the GRUB that this configuration was made for would say. Empty: as
    /// this program was built ("efi" and "x86_64", or "ieee1275" and "powerpc").
    std::string platform;
    std::string cpu;
    /// The directory that $prefix names on the own device. Empty: the directory of the configuration file.
    std::string prefix;
    /// Variables that stand before the first line, over the ones GRUB sets.
    std::vector<std::pair<std::string, std::string>> variables;
    /// Keep what `echo` and `cat` print (GrubResult::output, bounded by variable_bytes).
    bool keep_output = false;
    GrubLimits limits;
};

/// A `save_env` that GRUB would have executed. It is recorded, never done.
struct GrubWrite {
    DeviceRef device;
    std::string path;
    std::vector<std::pair<std::string, std::string>> variables;
    std::string file;  ///< where the command stands
    std::uint32_t line = 0;
};

/// Everything that an evaluation yields.
struct GrubResult {
    Parsed parsed;
    std::optional<std::chrono::seconds> timeout;  ///< $timeout; empty where unset, negative or not a number
    std::string timeout_style;                    ///< $timeout_style
    std::string default_entry;                    ///< $default as the menu would see it
    std::string fallback;                         ///< $fallback
    std::vector<GrubWrite> writes;
    std::string output;
};

/// Evaluates a GRUB configuration as GRUB does up to its menu, then each entry as if it were chosen, without the
/// effects of one on another.
///
/// @param source reads the configuration's files; `self` is the device that holds `path`
/// @param path   of the configuration file on the own device, such as "/boot/grub/grub.cfg"
/// Options come in menu order; BootOption::id is `--id`, or a slug of the submenus and the title, unique here.
/// Entries that boot something else than a Linux kernel are diagnostics. Nothing is written.
/// @error none: malformed input, missing files and exceeded limits are diagnostics.
/// Source: the GNU GRUB manual 2.06 (sections 6 and 16), and grub-emu 2.06 where the manual is silent.
/// Blocking: as the source is. Thread: any, one evaluation at a time for each source.
[[nodiscard]] GrubResult evaluate_grub(FileSource& source, std::string_view path, const GrubOptions& options = {});

/// evaluate_grub() with its timeout, its fallback and its writes told as notes.
[[nodiscard]] Parsed parse_grub(FileSource& source, std::string_view path, const GrubOptions& options = {});

}  // namespace stillboot
