// SPDX-License-Identifier: Apache-2.0
// From the request's files to what the loader takes.
#include "kexec/handover/images.hpp"

#include <algorithm>

#include "kexec/handover/words.hpp"
#include "kexec/program_loader.hpp"

namespace stillboot::handover {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t max_kernel_bytes = std::uint64_t{512} << 20;
constexpr std::uint64_t max_initrd_bytes = std::uint64_t{4} << 30;
constexpr std::uint64_t max_devicetree_bytes = std::uint64_t{16} << 20;

}  // namespace

Result<UniqueFd> Images::fetch_one(const ImageSource& source, std::uint64_t max_bytes, std::stop_token stop) {
    const auto progress = [&](std::uint64_t done, std::uint64_t total) {
        if (done != total && ports_.clock.now() - last_progress_ < 100ms) {
            return;
        }
        last_progress_ = ports_.clock.now();
        tell_(Step::fetch, Message("handover.fetching", {{"source", source.text()}}), done, total);
    };
    return ports_.fetcher.fetch(source, max_bytes, progress, std::move(stop));
}

Result<void> Images::fetch(std::stop_token stop) {
    const auto available = kexec::available_memory(ports_.root);
    if (!available) {
        return available.error();
    }
    auto kernel = fetch_one(request_.kernel, max_kernel_bytes, stop);
    if (!kernel) {
        return kernel.error();
    }
    kernel_file_ = std::move(*kernel);
    std::uint64_t left = std::min(max_initrd_bytes, *available);
    for (const ImageSource& source : request_.initrds) {
        auto initrd = fetch_one(source, left, stop);
        if (!initrd) {
            return initrd.error();
        }
        left -= std::min(left, kexec::file_bytes(*initrd));
        initrds_.push_back(std::move(*initrd));
    }
    if (request_.devicetree) {
        auto devicetree = fetch_one(*request_.devicetree, max_devicetree_bytes, stop);
        if (!devicetree) {
            return devicetree.error();
        }
        devicetree_ = std::move(*devicetree);
    }
    return {};
}

Result<void> Images::unwrap() {
    auto kernel = kexec::unwrap(std::move(kernel_file_), request_.kernel.text());
    if (!kernel) {
        return kernel.error();
    }
    kernel_ = std::move(*kernel);
    for (const Message& note : kernel_.notes) {
        tell_(Step::unwrap, note, 0, 0);
    }
    command_line_ = without_our_words(request_.command_line.empty() ? kernel_.command_line.value_or("")
                                                                    : request_.command_line);
    if (auto fits = kexec::check_command_line(kernel_.image, command_line_); !fits) {
        return fits;
    }
    if (devicetree_) {
        if (auto possible = kexec::check_devicetree(ports_.root); !possible) {
            return possible;
        }
    }
    if (kernel_.initrd) {
        initrds_.insert(initrds_.begin(), std::move(kernel_.initrd));
    }
    auto initrd = kexec::join_initrds(std::move(initrds_));
    initrds_.clear();
    if (!initrd) {
        return initrd.error();
    }
    initrd_ = std::move(*initrd);
    return {};
}

Result<void> Images::check_memory() const {
    return kexec::check_memory(ports_.root, kernel_.kernel_bytes, kexec::file_bytes(initrd_));
}

bool Images::append(const std::string& word) {
    std::string longer = command_line_ + (command_line_.empty() ? "" : " ") + word;
    if (!kexec::check_command_line(kernel_.image, longer)) {
        return false;
    }
    command_line_ = std::move(longer);
    return true;
}

kexec::LoadOrder Images::order() const {
    kexec::LoadOrder order;
    order.kernel = kernel_.kernel.get();
    order.initrd = initrd_.get();
    order.devicetree = devicetree_.get();
    order.command_line = command_line_;
    order.format = kernel_.image.format;
    return order;
}

}  // namespace stillboot::handover
