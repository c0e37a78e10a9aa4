// SPDX-License-Identifier: Apache-2.0
// What the system before this one meant to leave, or left, when kexec started this one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"
#include "quiesce/plan.hpp"
#include "quiesce/step_runner.hpp"
#include "quiesce/verify.hpp"

namespace stillboot::quiesce {

/// A device that was not unbound, or not left still.
struct ReportedDevice {
    std::string name;
    std::string driver;
    std::string rest;  ///< "kept", "contained" or "moving"
    std::string why;

    bool operator==(const ReportedDevice&) const = default;
};

/// A device that was unbound, or should have been.
struct ReportedStep {
    std::string name;
    std::string driver;
    std::string end;  ///< to_word(StepOutcome::End)
    std::chrono::milliseconds took{0};

    bool operator==(const ReportedStep&) const = default;
};

struct JumpReport {
    static constexpr int format_version = 1;

    enum class Kind {
        planned,  ///< before the jump, while there was a disk to write to: what was meant to be done
        done,     ///< what was seen after it was done
    };
    Kind kind = Kind::planned;
    std::string from_boot;  ///< boot id of the kernel that was left
    std::string to_boot;    ///< of the kernel that came next, once it has claimed the report; empty before
    std::uint64_t unbound = 0;
    std::vector<ReportedDevice> devices;  ///< the first of them, where there are very many
    std::vector<ReportedStep> slowest;    ///< a few, the slowest first
    std::chrono::milliseconds took{0};    ///< from the first look at the machine to the last verdict; 0: not known

    bool operator==(const JumpReport&) const = default;
};

/// "planned", "done". Lifetime: static.
[[nodiscard]] std::string_view to_word(JumpReport::Kind kind);

[[nodiscard]] std::string to_text(const JumpReport& report);
/// @error quiesce.report_newer (a later format), quiesce.report_damaged
[[nodiscard]] Result<JumpReport> jump_report_from_text(std::string_view text);

/// The plan for the end of a shutdown, when nobody uses anything any more. @param boot_id of this kernel
[[nodiscard]] JumpReport planned_report(const Plan& plan, std::string boot_id);

/// What was seen, after the check. Of the steps only the slowest, and of the devices only so many that any store
/// can hold it.
[[nodiscard]] JumpReport done_report(const Verification& verification, const std::vector<StepOutcome>& outcomes,
                                     std::chrono::milliseconds took, std::string boot_id);

/// The slowest steps, at most twenty.
[[nodiscard]] std::vector<ReportedStep> slowest_of(const std::vector<StepOutcome>& outcomes);

/// A place where a report survives the kernel.
class ReportSource {
public:
    virtual ~ReportSource() = default;
    /// In words: "the file /var/lib/stillboot/kexec.json".
    [[nodiscard]] virtual std::string name() const = 0;
    /// The report that lies there, of whatever boot; nothing where none does. @error any
    virtual Result<std::optional<JumpReport>> read() = 0;
};

/// A file on a disk of the machine: it can hold a plan only, for nothing can be written to when that is carried
/// out.
class ReportFile final : public ReportSource {
public:
    static constexpr std::string_view default_path = "/var/lib/stillboot/kexec.json";
    explicit ReportFile(const Root& root, std::string_view path = default_path) : root_(root), path_(path) {}

    [[nodiscard]] std::string name() const override { return "the file " + path_; }
    /// @error base.read_failed, base.file_too_large (1 MiB), those of jump_report_from_text
    Result<std::optional<JumpReport>> read() override;
    /// @error base.write_failed
    Result<void> write(const JumpReport& report);
    Result<void> clear();

private:
    const Root& root_;
    std::string path_;
};

/// The kernel's persistent log (pstore, fs/pstore/pmsg.c): in it each report is a line of its own, and the last
/// one counts. Also where systemd-pstore has moved it.
class PersistentLog final : public ReportSource {
public:
    explicit PersistentLog(const Root& root) : root_(root) {}

    [[nodiscard]] std::string name() const override { return "the kernel's persistent log"; }
    /// @error those of jump_report_from_text
    Result<std::optional<JumpReport>> read() override;
    /// A report as such a line, without its end.
    [[nodiscard]] static std::string line_of(const JumpReport& report);

private:
    const Root& root_;
};

/// Whether kexec started this kernel; empty where it does not say. Source: x86's boot protocol (loader type 0xD,
/// so that /proc/sys/kernel/bootloader_type is 208 to 223), drivers/of/kexec.c (linux,booted-from-kexec).
[[nodiscard]] std::optional<bool> started_by_kexec(const Root& root);

struct FoundReport {
    JumpReport report;
    std::string source;  ///< ReportSource::name()
};

/// What the sources have of the jump into this kernel: the first that tells what was done, else the first plan.
/// One that another boot has claimed, and any where this kernel was not started by kexec, does not count.
/// @param problems gets a message for each source that cannot be read
[[nodiscard]] std::optional<FoundReport> find_report(const std::vector<ReportSource*>& sources, const Root& root,
                                                     std::vector<Message>& problems);

}  // namespace stillboot::quiesce
