// SPDX-License-Identifier: Apache-2.0
// Whole disks beside what they must yield: tests/golden/<format>/<case>/{disk/…, expect.json, SOURCE}.
//
// `disk.id` beside `disk/` gives its file system an identity ("uuid=…", "label=…", "device=…", a line each); every
// other directory with such a file is a file system that references may lead to. STILLBOOT_GOLDEN_REWRITE=1
// writes what was found instead of comparing.
#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "config/parse/directory_source.hpp"
#include "config/parse/scan_file_system.hpp"

namespace json = boost::json;
namespace fs = std::filesystem;
using namespace stillboot;

namespace {

std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

DeviceId read_identity(const fs::path& path) {
    DeviceId out;
    std::istringstream lines(read_text(path));
    for (std::string line; std::getline(lines, line);) {
        const std::size_t equals = std::min(line.find('='), line.size());
        const std::string key = line.substr(0, equals);
        std::string* const field = key == "uuid" ? &out.uuid : key == "label" ? &out.label : &out.id;
        *field = line.substr(std::min(equals + 1, line.size()));
    }
    return out;
}

DirectorySource::FileSystem open_file_system(const fs::path& directory) {
    fs::path identity = directory;
    identity += ".id";
    return {read_identity(identity), Root::open(directory.string()).value()};
}

json::value resource_json(const Resource& resource) {
    if (!resource.url.empty()) {
        return json::object{{"url", resource.url}};
    }
    json::value device = nullptr;
    if (!resource.device.is_self()) {
        device = json::object{{to_word(resource.device.kind), resource.device.value}};
    }
    return json::object{{"path", resource.path}, {"device", device}};
}

json::value option_json(const BootOption& option, DirectorySource& source) {
    json::array initrds;
    for (const Resource& initrd : option.initrds) {
        initrds.push_back(resource_json(initrd));
    }
    json::array submenus(option.submenus.begin(), option.submenus.end());
    return json::object{
        {"id", option.id},
        {"title", option.title},
        {"submenus", submenus},
        {"kernel", resource_json(option.kernel)},
        {"initrds", initrds},
        {"devicetree", option.devicetree ? resource_json(*option.devicetree) : json::value(nullptr)},
        {"args", option.args},
        {"version", option.version},
        {"default", option.is_default},
        {"state", source.present(option.kernel.device) ? "ready" : "waiting"},
        {"source",
         json::object{
             {"format", option.source.format}, {"file", option.source.file}, {"line", option.source.line}}},
    };
}

/// One key a line, in the order in which they were put in, so that a difference reads well.
void write_pretty(std::string& out, const json::value& value, const std::string& indent) {
    const std::string inner = indent + "  ";
    if (const auto* object = value.if_object(); object != nullptr && object->size() > 1) {
        out += "{";
        for (auto at = object->begin(); at != object->end(); ++at) {
            out += (at == object->begin() ? "\n" : ",\n") + inner + json::serialize(json::value(at->key())) + ": ";
            write_pretty(out, at->value(), inner);
        }
        out += "\n" + indent + "}";
    } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
        out += "[";
        for (auto at = array->begin(); at != array->end(); ++at) {
            out += (at == array->begin() ? "\n" : ",\n") + inner;
            write_pretty(out, *at, inner);
        }
        out += "\n" + indent + "]";
    } else {
        out += json::serialize(value);
    }
}

std::string scan(const fs::path& directory) {
    std::vector<DirectorySource::FileSystem> others;
    std::vector<fs::path> places;
    for (const auto& entry : fs::directory_iterator(directory)) {
        fs::path identity = entry.path();
        identity += ".id";
        if (entry.is_directory() && entry.path().filename() != "disk" && fs::exists(identity)) {
            places.push_back(entry.path());
        }
    }
    std::sort(places.begin(), places.end());
    for (const fs::path& place : places) {
        others.push_back(open_file_system(place));
    }
    DirectorySource source(open_file_system(directory / "disk"), std::move(others));
    const ScanResult result = scan_file_system(source);
    json::array options;
    json::array diagnostics;
    if (const auto* found = std::get_if<std::vector<BootOption>>(&result.finding)) {
        for (const BootOption& option : *found) {
            options.push_back(option_json(option, source));
        }
    }
    for (const Diagnostic& each : result.diagnostics) {
        diagnostics.push_back(json::object{{"file", each.file},
                                           {"line", each.line},
                                           {"column", each.column},
                                           {"severity", to_word(each.severity)},
                                           {"message", each.message.sentence()}});
    }
    std::string out;
    write_pretty(out, json::object{{"options", options}, {"diagnostics", diagnostics}}, "");
    return out + "\n";
}

}  // namespace

TEST_SUITE("golden") {
    TEST_CASE("every disk yields what stands beside it") {
        const char* const top = std::getenv("STILLBOOT_GOLDEN");
        REQUIRE(top != nullptr);
        const bool rewrite = std::getenv("STILLBOOT_GOLDEN_REWRITE") != nullptr;
        int cases = 0;
        for (const auto& entry : fs::recursive_directory_iterator(top)) {
            if (entry.path().filename() != "SOURCE") {
                continue;
            }
            const fs::path directory = entry.path().parent_path();
            const std::string found = scan(directory);
            ++cases;
            CAPTURE(directory);
            CHECK(!read_text(directory / "SOURCE").empty());
            if (rewrite) {
                std::ofstream(directory / "expect.json", std::ios::binary) << found;
            } else {
                CHECK(read_text(directory / "expect.json") == found);
            }
        }
        CHECK(cases >= 6);
    }
}
