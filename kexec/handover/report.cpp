// SPDX-License-Identifier: Apache-2.0
// Writing and finding the word.
#include "kexec/handover/report.hpp"

#include <set>

#include "kexec/handover/words.hpp"

namespace stillboot::handover {

Message checked(const quiesce::Verification& verification) {
    const auto count = [&](quiesce::Rest rest) { return std::uint64_t{verification.count(rest)}; };
    return Message("handover.checked", {{"still", count(quiesce::Rest::still)},
                                        {"kept", count(quiesce::Rest::kept)},
                                        {"contained", count(quiesce::Rest::contained)},
                                        {"moving", count(quiesce::Rest::moving)}});
}

std::string report_word(const quiesce::Verification& verification, const quiesce::Plan& devices,
                        std::chrono::milliseconds took) {
    std::string word(report_word_name);
    for (const auto rest :
         {quiesce::Rest::still, quiesce::Rest::kept, quiesce::Rest::contained, quiesce::Rest::moving}) {
        word += std::string(quiesce::to_word(rest)) + ":" + std::to_string(verification.count(rest)) + ",";
    }
    word += "ms:" + std::to_string(took.count());
    std::set<std::string> left;
    for (const quiesce::Kept& kept : devices.kept) {
        if (quiesce::is_learned(kept.reason) && kept.driver.find_first_of(" \",") == std::string::npos) {
            left.insert(kept.driver);
        }
    }
    for (const std::string& driver : left) {
        word += ",left:" + driver;
    }
    return word;
}

std::string_view report_in(std::string_view command_line) {
    return value_of(command_line, report_word_name);
}

}  // namespace stillboot::handover
