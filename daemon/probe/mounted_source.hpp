// SPDX-License-Identifier: Apache-2.0
// The parsers' files: those of the mounted view, and those of other devices by asking the daemon.
#pragma once

#include <string>
#include <vector>

#include "config/parse/directory_source.hpp"
#include "daemon/probe/question.hpp"

namespace stillboot::probe {

/// Who answers questions about other devices.
class Asker {
public:
    virtual ~Asker() = default;
    virtual Answer ask(const Question& question) = 0;
};

class MountedSource final : public FileSource {
public:
    MountedSource(DeviceId own, Root root, Asker& asker);

    Result<std::string> read(const DeviceRef& device, std::string_view path, std::size_t max_bytes) override;
    Kind kind(const DeviceRef& device, std::string_view path) override;
    std::uint64_t size(const DeviceRef& device, std::string_view path) override;
    std::vector<std::string> list(const DeviceRef& device, std::string_view path) override;
    bool present(const DeviceRef& device) override;
    std::vector<DeviceRef> devices_with_file(std::string_view path) override;
    [[nodiscard]] const DeviceId& self() const override { return own_.self(); }
    [[nodiscard]] std::vector<Damage> damage() const override { return own_.damage(); }

private:
    // A reference that names the own device is answered here, whatever other devices carry the same name.
    [[nodiscard]] bool is_own(const DeviceRef& device) const {
        return device.is_self() || names_device(device, own_.self());
    }

    DirectorySource own_;
    Asker& asker_;
};

}  // namespace stillboot::probe
