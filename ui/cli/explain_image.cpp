// SPDX-License-Identifier: Apache-2.0
// A scan by the probe whose questions about other devices are answered from directories.
#include "ui/cli/explain_image.hpp"

#include "config/base/memfd.hpp"
#include "config/parse/directory_source.hpp"
#include "daemon/probe/scan_client.hpp"

namespace stillboot::cli {
namespace {

using probe::Answer;
using probe::Question;

Answer read_answer(FileSource& files, const Question& question) {
    const auto text = files.read(question.device, question.path, question.max_bytes);
    if (!text) {
        return Answer(text.error());
    }
    auto content = sealed_memfd(question.path, std::string_view(*text));
    if (!content) {
        return Answer(content.error());
    }
    Answer answer;
    answer.content = std::move(*content);
    return answer;
}

Answer answer_from(FileSource& files, const Question& question) {
    Answer answer;
    switch (question.kind) {
        case Question::Kind::read: return read_answer(files, question);
        case Question::Kind::kind: answer.kind = files.kind(question.device, question.path); break;
        case Question::Kind::size: answer.size = files.size(question.device, question.path); break;
        case Question::Kind::list: answer.names = files.list(question.device, question.path); break;
        case Question::Kind::present: answer.present = files.present(question.device); break;
        case Question::Kind::find:
            for (const DeviceRef& device : files.devices_with_file(question.path)) {
                answer.devices.push_back(device.is_self() ? files.self().id : device.value);
            }
            break;
    }
    return answer;
}

}  // namespace

Result<ScanResult> scan_image(const ExplainOrder& order) {
    DeviceId device = order.own.device;
    device.node = order.own.path;
    auto others = open_others(order);
    if (!others) {
        return others.error();
    }
    if (others->empty()) {
        return probe::scan(device);
    }
    // Any of them may be the one that the source calls its own: the probe never asks for that.
    DirectorySource::FileSystem first = std::move(others->front());
    others->erase(others->begin());
    DirectorySource files(std::move(first), std::move(*others));
    return probe::scan(device, [&](const Question& question) { return answer_from(files, question); });
}

}  // namespace stillboot::cli
