// SPDX-License-Identifier: Apache-2.0
// The command and its answer, through the kernel's IPMI device.
#include "kexec/handover/power_cycle.hpp"

#include <fcntl.h>
#include <linux/ipmi.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>

namespace stillboot::handover {
namespace {

constexpr unsigned char chassis_request = 0x00;  // network function
constexpr unsigned char chassis_control = 0x02;
constexpr unsigned char power_cycle = 0x02;
constexpr int answer_within_ms = 5000;  // the kernel itself asks a slow controller again within this time

Error failed(int error_number) {
    return Error::from_errno(error_number, "handover.power_cycle_failed");
}

Result<void> send(const UniqueFd& device) {
    ipmi_system_interface_addr address{};
    address.addr_type = IPMI_SYSTEM_INTERFACE_ADDR_TYPE;
    address.channel = IPMI_BMC_CHANNEL;
    unsigned char control = power_cycle;
    ipmi_req request{};
    request.addr = reinterpret_cast<unsigned char*>(&address);
    request.addr_len = sizeof address;
    request.msg = {chassis_request, chassis_control, sizeof control, &control};
    return ::ioctl(device.get(), IPMICTL_SEND_COMMAND, &request) < 0 ? failed(errno) : Result<void>();
}

Result<void> await_answer(const UniqueFd& device) {
    pollfd ready{device.get(), POLLIN, 0};
    const int count = ::poll(&ready, 1, answer_within_ms);
    if (count <= 0) {
        return failed(count == 0 ? ETIMEDOUT : errno);
    }
    ipmi_addr address{};
    std::array<unsigned char, IPMI_MAX_MSG_LENGTH> data{};
    ipmi_recv answer{};
    answer.addr = reinterpret_cast<unsigned char*>(&address);
    answer.addr_len = sizeof address;
    answer.msg.data = data.data();
    answer.msg.data_len = data.size();
    if (::ioctl(device.get(), IPMICTL_RECEIVE_MSG_TRUNC, &answer) < 0) {
        return failed(errno);
    }
    const unsigned completion = answer.msg.data_len == 0 ? IPMI_UNKNOWN_ERR_COMPLETION_CODE : data.front();
    return completion == IPMI_CC_NO_ERROR
               ? Result<void>()
               : Error("handover.power_cycle_refused", {{"code", std::uint64_t{completion}}});
}

}  // namespace

Result<void> cycle_power(const Root& root) {
    auto device = root.open_file("/dev/ipmi0", O_RDWR);
    if (!device) {
        return failed(device.error().error_number());
    }
    if (auto sent = send(*device); !sent) {
        return sent;
    }
    return await_answer(*device);
}

}  // namespace stillboot::handover
