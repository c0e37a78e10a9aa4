// SPDX-License-Identifier: Apache-2.0
// Discovery's scanner by probe processes.
#pragma once

#include "daemon/discover/discovery.hpp"
#include "daemon/probe/runner.hpp"

namespace stillboot {

class ProbeScanner final : public discover::Scanner {
public:
    ProbeScanner(const boost::asio::any_io_executor& executor, const probe::RunnerSettings& settings)
        : runner_(executor, settings) {}

    boost::asio::awaitable<Result<ScanResult>> scan(DeviceId device, std::vector<std::string> named,
                                                    QuestionHandler handler) override {
        return runner_.scan(std::move(device), std::move(named), std::move(handler));
    }
    boost::asio::awaitable<probe::Answer> ask(std::string node, probe::Question question) override {
        return runner_.ask(std::move(node), std::move(question));
    }
    [[nodiscard]] probe::Runner& runner() { return runner_; }

private:
    probe::Runner runner_;
};

}  // namespace stillboot
