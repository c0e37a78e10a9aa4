// SPDX-License-Identifier: Apache-2.0
// EFI machines, and those whose firmware can be asked nothing.
#include "daemon/platform/platform.hpp"

#include "config/base/within.hpp"
#include "daemon/platform/efi_variables.hpp"

namespace stillboot::platform {
namespace {

constexpr std::chrono::seconds deadline{5};

// EFI_OS_INDICATIONS_BOOT_TO_FW_UI of OsIndications, 64 bits in little-endian (UEFI 2.10, 8.5.4).
constexpr char boot_to_setup = 1;
constexpr std::size_t indications_bytes = 8;

// The Boot Loader Interface of systemd: a text in UTF-16 that ends with a zero.
constexpr std::string_view loader_vendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
constexpr std::string_view entry_once_name = "LoaderEntryOneShot";

// The names of boot entries are of ASCII alone (Boot Loader Specification); what else stands there names none.
std::optional<std::string> entry_of(std::string_view utf16) {
    std::string entry;
    for (std::size_t at = 0; at + 1 < utf16.size(); at += 2) {
        const char c = utf16[at];
        if (c == '\0' && utf16[at + 1] == '\0') {
            break;
        }
        if (c < ' ' || c > '~' || utf16[at + 1] != '\0') {
            return std::nullopt;
        }
        entry += c;
    }
    return entry.empty() ? std::nullopt : std::optional(std::move(entry));
}

std::string utf16_of(std::string_view entry) {
    std::string utf16;
    for (const char c : entry) {
        utf16 += {c, '\0'};
    }
    return utf16 + std::string(2, '\0');
}

class Plain final : public Platform {
public:
    explicit Plain(std::string_view why) : why_(why) {}
    Result<void> ask_for_setup() override { return Error(why_); }
    Result<std::optional<std::string>> entry_once() override { return std::optional<std::string>(); }
    Result<void> set_entry_once(const std::optional<std::string>&) override { return Error(why_); }

private:
    std::string_view why_;
};

Result<void> set_setup_bit(const EfiVariables& variables) {
    const auto supported = variables.read("OsIndicationsSupported", global_vendor);
    if (!supported) {
        return supported.error();
    }
    if (!*supported || (*supported)->empty() || ((*supported)->front() & boot_to_setup) == 0) {
        return Error("platform.no_setup");
    }
    auto indications = variables.read("OsIndications", global_vendor);
    if (!indications) {
        return indications.error();
    }
    std::string bits = std::move(*indications).value_or("");
    bits.resize(indications_bytes);
    if ((bits.front() & boot_to_setup) != 0) {
        return {};
    }
    bits.front() = static_cast<char>(bits.front() | boot_to_setup);
    return variables.write("OsIndications", global_vendor, bits);
}

class Efi final : public Platform {
public:
    explicit Efi(EfiVariables variables)
        : variables_(std::make_shared<const EfiVariables>(std::move(variables))) {}

    Result<void> ask_for_setup() override { return within<void>(set_setup_bit); }

    Result<std::optional<std::string>> entry_once() override {
        return within<std::optional<std::string>>([](const EfiVariables& variables) {
            auto text = variables.read(entry_once_name, loader_vendor);
            return text && *text ? Result<std::optional<std::string>>(entry_of(**text)) : text;
        });
    }

    Result<void> set_entry_once(const std::optional<std::string>& entry) override {
        return within<void>([entry](const EfiVariables& variables) {
            return entry ? variables.write(entry_once_name, loader_vendor, utf16_of(*entry))
                         : variables.remove(entry_once_name, loader_vendor);
        });
    }

private:
    template <class T>
    Result<T> within(std::function<Result<T>(const EfiVariables&)> ask) const {
        auto answer = call_within<Result<T>>(
            deadline, [variables = variables_, ask = std::move(ask)] { return ask(*variables); });
        return answer ? std::move(*answer) : Result<T>(Error("platform.hangs"));
    }

    std::shared_ptr<const EfiVariables> variables_;
};

}  // namespace

std::unique_ptr<Platform> platform_of(const Root& root) {
    if (auto variables = EfiVariables::open(root)) {
        return std::make_unique<Efi>(std::move(*variables));
    }
    return std::make_unique<Plain>(root.exists("/sys/firmware/efi") ? "platform.no_variables" : "platform.no_efi");
}

}  // namespace stillboot::platform
