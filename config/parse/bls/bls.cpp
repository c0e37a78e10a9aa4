// SPDX-License-Identifier: Apache-2.0
// From the entry files to boot options.
#include "config/parse/bls/bls.hpp"

#include <fnmatch.h>
#include <strings.h>

#include <algorithm>
#include <iterator>

#include "config/base/planted_defect.hpp"
#include "config/parse/bls/entry.hpp"

namespace stillboot {
namespace {

constexpr std::size_t max_entry_bytes = 64 * 1024;
constexpr std::size_t max_entries = 1000;

struct Found {
    BlsEntry entry;
    std::string path;
};

class Reader {
public:
    Reader(FileSource& files, const BlsOptions& options) : files_(files), options_(options) {}

    Parsed read() {
        std::vector<Found> found = read_entries();
        std::stable_sort(found.begin(), found.end(),
                         [](const Found& a, const Found& b) { return bls_before(a.entry, b.entry); });
        std::vector<bool> bad;
        for (const Found& each : found) {
            if (auto option = to_option(each)) {
                out_.options.push_back(std::move(*option));
                bad.push_back(bls_is_bad(each.entry));
                say_if_bad(each);
            }
        }
        if (options_.select_default && !out_.options.empty()) {
            out_.options[choose_default(bad)].is_default = true;
        }
        return std::move(out_);
    }

private:
    void say(Severity severity, const std::string& file, const BlsValue& at, Message message) {
        out_.diagnostics.emplace_back(severity, file, at.line, at.column, std::move(message));
    }

    std::vector<Found> read_entries() {
        std::vector<Found> found;
        const bool all = options_.only.empty();
        for (const std::string& name :
             all ? files_.list(options_.device, options_.directory) : std::vector<std::string>{options_.only}) {
            auto entry = bls_entry_of_name(name);
            if (!entry) {
                continue;
            }
            const std::string path = options_.directory + "/" + name;
            if (found.size() == max_entries) {
                say(Severity::warning, path, {}, Message("config.bls_too_many", {{"limit", max_entries}}));
                break;
            }
            auto text = files_.read(options_.device, path, max_entry_bytes);
            if (!text) {
                say(Severity::error, path, {}, text.error().message());
                continue;
            }
            read_bls_entry(*entry, path, *text, out_.diagnostics);
            found.push_back({std::move(*entry), path});
        }
        return found;
    }

    void say_if_bad(const Found& found) {
        if (bls_is_bad(found.entry)) {
            say(Severity::note, found.path, {},
                Message("config.bls_no_tries", {{"done", found.entry.tries->done}}));
        }
    }

    /// The value with its variables, where there is someone to expand them.
    std::string value_of(const BlsValue& value, const std::string& path) {
        if (options_.expand) {
            return options_.expand(value.text);
        }
        const std::size_t dollar = value.text.find('$');
        if (dollar != std::string::npos) {
            const std::string word = value.text.substr(dollar, value.text.find_first_of(" \t", dollar) - dollar);
            BlsValue at = value;
            at.column += static_cast<std::uint32_t>(dollar);
            say(Severity::warning, path, at, Message("config.bls_variable", {{"word", word}}));
        }
        return value.text;
    }

    Resource resource(std::string path) {
        Resource out;
        if (path.empty() || path.front() != '/') {
            path = std::string("/").append(path);
        }
        const bool there = files_.kind(options_.device, path) == FileSource::Kind::file;
        const std::string prefixed = options_.path_prefix + path;
        if (!there && files_.kind(options_.device, prefixed) == FileSource::Kind::file) {
            path = prefixed;
        }
        out.path = std::move(path);
        out.device = options_.device;
        return out;
    }

    /// Says why an entry cannot be booted here; true where that is so.
    bool refused(const Found& found) {
        const BlsEntry& entry = found.entry;
        if (!entry.architecture.text.empty() &&
            ::strcasecmp(entry.architecture.text.c_str(), options_.architecture.c_str()) != 0) {
            say(Severity::note, found.path, entry.architecture,
                Message("config.bls_architecture",
                        {{"architecture", entry.architecture.text}, {"ours", options_.architecture}}));
            return true;
        }
        if (!entry.linux.text.empty()) {
            return false;
        }
        if (entry.firmware_program) {
            say(Severity::warning, found.path, *entry.firmware_program,
                Message("config.bls_efi", {{"path", entry.firmware_program->text}}));
        } else {
            say(Severity::error, found.path, {}, Message("config.bls_no_kernel"));
        }
        return true;
    }

    void add_initrds(BootOption& option, const Found& found) {
        for (const BlsValue& value : found.entry.initrds) {
            const std::string text = value_of(value, found.path);
            if (!options_.expand) {
                option.initrds.push_back(resource(text));
                continue;
            }
            for (std::size_t at = text.find_first_not_of(" \t"); at < text.size();) {
                const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
                option.initrds.push_back(resource(text.substr(at, end - at)));
                at = text.find_first_not_of(" \t", end);
            }
        }
    }

    std::optional<BootOption> to_option(const Found& found) {
        if (refused(found)) {
            return std::nullopt;
        }
        const BlsEntry& entry = found.entry;
        BootOption option;
        option.id = entry.id;
        option.title = entry.title.text.empty() ? entry.id : value_of(entry.title, found.path);
        option.version = entry.version.text;
        option.sort_key = entry.sort_key.text;
        option.tries = entry.tries;
        option.source = Source{"bls", found.path, entry.linux.line};
        option.kernel = resource(value_of(entry.linux, found.path));
        add_initrds(option, found);
        if (!entry.devicetree.text.empty()) {
            option.devicetree = resource(value_of(entry.devicetree, found.path));
        }
        for (const BlsValue& value : entry.options) {
            const std::string text = value_of(value, found.path);
            option.args += (option.args.empty() || text.empty() ? "" : " ") + text;
        }
        return option;
    }

    /// The index of the default: loader.conf's pattern, else the first that is not bad, else the first.
    std::size_t choose_default(const std::vector<bool>& bad) {
        const auto first_good = std::find(bad.begin(), bad.end(), false);
        const std::size_t fallback =
            first_good == bad.end() && !planted_defect ? 0 : static_cast<std::size_t>(first_good - bad.begin());
        if (options_.loader_conf.empty() ||
            files_.kind(options_.device, options_.loader_conf) != FileSource::Kind::file) {
            return fallback;
        }
        const auto text = files_.read(options_.device, options_.loader_conf, max_entry_bytes);
        if (!text) {
            say(Severity::error, options_.loader_conf, {}, text.error().message());
            return fallback;
        }
        BlsValue pattern;
        for (BlsLine& line : split_bls_lines(*text)) {
            if (line.key == "default") {
                pattern = std::move(line.value);
            } else {
                say_unused(line);
            }
        }
        if (pattern.text.empty()) {
            return fallback;
        }
        const auto match = matching(pattern);
        if (match && bad[*match] && !bad[fallback]) {
            say(Severity::note, options_.loader_conf, pattern,
                Message("config.bls_default_bad",
                        {{"default", pattern.text}, {"title", out_.options[*match].title}}));
            return fallback;
        }
        return match.value_or(fallback);
    }

    /// What else loader.conf asks for is about its own loader: the settings decide here.
    void say_unused(const BlsLine& line) {
        out_.diagnostics.emplace_back(Severity::note, options_.loader_conf, line.value.line, line.key_column,
                                      Message("config.bls_loader_key", {{"key", line.key}}));
    }

    std::optional<std::size_t> matching(const BlsValue& pattern) {
        if (pattern.text.front() == '@') {
            say(Severity::note, options_.loader_conf, pattern,
                Message("config.bls_default_in_firmware", {{"default", pattern.text}}));
            return std::nullopt;
        }
        const auto matches = [&](const BootOption& option) {
            // Patterns are written for the id with its suffix, and in older configurations without it.
            return ::fnmatch(pattern.text.c_str(), (option.id + ".conf").c_str(), FNM_CASEFOLD) == 0 ||
                   ::fnmatch(pattern.text.c_str(), option.id.c_str(), FNM_CASEFOLD) == 0;
        };
        // Bad entries are sorted last: the first match is a good one where there is one.
        const auto found = std::find_if(out_.options.begin(), out_.options.end(), matches);
        if (found == out_.options.end()) {
            say(Severity::warning, options_.loader_conf, pattern,
                Message("config.bls_default_unmatched", {{"default", pattern.text}}));
            return std::nullopt;
        }
        return static_cast<std::size_t>(found - out_.options.begin());
    }

    FileSource& files_;
    const BlsOptions& options_;
    Parsed out_;
};

}  // namespace

std::string BlsOptions::native_bls_architecture() {
#if defined(__x86_64__)
    return "x64";
#elif defined(__i386__)
    return "ia32";
#elif defined(__aarch64__)
    return "aa64";
#elif defined(__arm__)
    return "arm";
#elif defined(__riscv) && __riscv_xlen == 64
    return "riscv64";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
    return "ppc64le";
#else
    return "other";
#endif
}

Parsed parse_bls(FileSource& files, const BlsOptions& options) {
    return Reader(files, options).read();
}

}  // namespace stillboot
