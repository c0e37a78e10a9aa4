// SPDX-License-Identifier: Apache-2.0
// Loading a kernel for the jump, and the jump.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/base/process.hpp"
#include "config/base/result.hpp"
#include "config/base/root.hpp"
#include "kexec/image.hpp"

namespace stillboot::kexec {

/// What to load. Descriptors are borrowed for the call and may be sealed memfds.
struct LoadOrder {
    int kernel = -1;
    int initrd = -1;      ///< -1: none
    int devicetree = -1;  ///< -1: the kernel makes its own; otherwise the kexec program loads (kexec_load)
    std::string command_line;
    Format format = Format::bzimage;  ///< for the words of a refusal, and for the kexec program's arguments
    /// It will be unloaded at once. The kernel, which looks only at the kernel image and hashes every byte, is
    /// then not given the initrd; the program is, for what it takes depends on all of its arguments.
    bool trial = false;
};

/// Which of the two loaded.
enum class LoadedBy { kernel, program };

/// The port to the kernel's kexec. Blocking; no call has a deadline, for a load cannot be interrupted.
class Loader {
public:
    virtual ~Loader() = default;
    /// Loads and confirms. @error one of explain_load_error()'s, load_by_program()'s, kexec.fallback_locked_down,
    /// kexec.not_confirmed
    virtual Result<LoadedBy> load(const LoadOrder& order) = 0;
    /// @error kexec.unload_failed
    virtual Result<void> unload() = 0;
    /// True where a kernel is loaded. @error kexec.state_unknown
    virtual Result<bool> loaded() = 0;
    /// Calls that kexec_load_limit_reboot still allows, load and unload alike; empty: no limit.
    virtual std::optional<unsigned> calls_left() = 0;
    /// Jumps. Returns only where that failed. @error kexec.jump_failed, kexec.nothing_loaded
    virtual Error jump() = 0;
};

/// What the kernel says about its own refusals, read where an EPERM must be explained.
struct LoadRestrictions {
    bool load_disabled = false;          ///< kernel.kexec_load_disabled
    std::optional<unsigned> calls_left;  ///< kernel.kexec_load_limit_reboot
    std::string lockdown = "none";       ///< "none", "integrity", "confidentiality"
    bool may_boot = true;                ///< CAP_SYS_BOOT is ours

    /// Where kexec_load can only answer EPERM.
    [[nodiscard]] bool forbid_kexec_load() const {
        return load_disabled || calls_left == 0U || lockdown != "none";
    }
};
[[nodiscard]] LoadRestrictions read_load_restrictions(const Root& root);

/// The sentence for an errno of kexec_file_load or kexec_load, with what the machine says about it.
[[nodiscard]] Error explain_load_error(int error_number, const LoadOrder& order,
                                       const LoadRestrictions& restrictions);

/// True where the kexec program may try what kexec_file_load refused: the call is missing, the format is not
/// one it knows, or an EINVAL that our own arguments do not explain. Never after EPERM or a refused signature.
[[nodiscard]] bool fallback_is_legitimate(int error_number);

/// Whether there is memory for the load: the kernel reads kernel and initrd into buffers of its own and then
/// copies both into segments, so that twice their size is needed beside them.
/// @error kexec.memory_short (with needed_bytes and available_bytes), base.read_failed
[[nodiscard]] Result<void> check_memory(const Root& root, std::uint64_t kernel_bytes, std::uint64_t initrd_bytes);
/// MemAvailable of /proc/meminfo in bytes. @error base.open_failed, kexec.state_unknown
[[nodiscard]] Result<std::uint64_t> available_memory(const Root& root);

/// kexec_file_load(2) for an order: 0, or the errno.
[[nodiscard]] int call_kexec_file_load(const LoadOrder& order);

/// kexec_file_load and reboot(2), with the kexec program as the fallback.
class SystemLoader final : public Loader {
public:
    using FileLoad = int (*)(const LoadOrder&);
    /// Lifetime: root and runner outlive the loader.
    SystemLoader(const Root& root, ProcessRunner& runner, FileLoad file_load = call_kexec_file_load)
        : root_(root), runner_(runner), file_load_(file_load) {}

    Result<LoadedBy> load(const LoadOrder& order) override;
    Result<void> unload() override;
    Result<bool> loaded() override;
    std::optional<unsigned> calls_left() override;
    Error jump() override;

private:
    Result<LoadedBy> load_unconfirmed(const LoadOrder& order);

    const Root& root_;
    ProcessRunner& runner_;
    FileLoad file_load_;
};

}  // namespace stillboot::kexec
