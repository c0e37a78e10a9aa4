// SPDX-License-Identifier: Apache-2.0
// The table of formats and places, and how what they yield is put together.
#include "config/parse/scan_file_system.hpp"

#include <strings.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/base/utf8.hpp"
#include "config/parse/bls/bls.hpp"
#include "config/parse/grub/grub.hpp"
#include "config/parse/named_file.hpp"

namespace stillboot {
namespace {

/// One configuration, and what was read in it.
struct Configuration {
    std::string path;
    Parsed parsed;
};

// In the order in which GRUB's own installations are met: a root or boot partition, then an ESP. "@" and
// "@rootfs" are the subvolumes that Debian and Ubuntu put their root in; a btrfs is read from its top level.
constexpr std::string_view grub_places[] = {
    "/boot/grub/grub.cfg",    "/grub/grub.cfg",
    "/boot/grub2/grub.cfg",   "/grub2/grub.cfg",
    "/@/boot/grub/grub.cfg",  "/@rootfs/boot/grub/grub.cfg",
    "/@/boot/grub2/grub.cfg", "/root/boot/grub2/grub.cfg",
};

bool is_file(FileSource& source, std::string_view path) {
    return source.kind({}, path) == FileSource::Kind::file;
}

/// The ESP's vendor directories. An ESP is vfat, where the name's case means nothing; here it may be a copy.
std::vector<std::string> efi_grub_places(FileSource& source) {
    std::vector<std::string> places;
    for (const std::string& top : source.list({}, "/")) {
        if (::strcasecmp(top.c_str(), "EFI") != 0) {
            continue;
        }
        for (const std::string& vendor : source.list({}, "/" + top)) {
            places.push_back("/" + top + "/" + vendor + "/grub.cfg");
        }
    }
    // The fallback directory often holds a copy of the vendor's file.
    std::stable_partition(places.begin(), places.end(), [](const std::string& place) {
        return ::strcasecmp(place.c_str(), "/EFI/BOOT/grub.cfg") != 0;
    });
    return places;
}

std::vector<Configuration> read_grub(FileSource& source) {
    std::vector<std::string> places(std::begin(grub_places), std::end(grub_places));
    for (std::string& place : efi_grub_places(source)) {
        places.push_back(std::move(place));
    }
    std::vector<Configuration> out;
    for (const std::string& place : places) {
        if (is_file(source, place)) {
            out.push_back({place, parse_grub(source, place, {})});
        }
    }
    return out;
}

std::vector<Configuration> read_bls(FileSource& source) {
    std::vector<Configuration> out;
    for (const char* prefix : {"", "/boot"}) {
        BlsOptions options;
        options.path_prefix = prefix;
        options.directory = options.path_prefix + "/loader/entries";
        options.loader_conf = options.path_prefix + "/loader/loader.conf";
        if (source.kind({}, options.directory) == FileSource::Kind::directory) {
            out.push_back({options.directory, parse_bls(source, options)});
        }
    }
    return out;
}

// A disk whose /boot is another one lacks them all: a few names say it.
constexpr int max_missing_files = 20;

struct Format {
    std::string_view name;
    std::vector<Configuration> (*read)(FileSource&);
};

/// A new format is a row here. The order is that of the menu, and of who keeps what two of them offer.
constexpr Format formats[] = {
    {"grub", read_grub},
    {"bls", read_bls},
};

/// What makes two options the same to boot, whatever they are called and however they name their own device.
std::string boot_key(const BootOption& option, const DeviceId& own) {
    std::string key;
    const auto add = [&](const Resource& resource) {
        const bool here = names_device(resource.device, own);
        key.append(to_word(here ? DeviceRef::Kind::self : resource.device.kind)).append(1, '\0');
        key.append(here ? std::string() : resource.device.value).append(1, '\0');
        key.append(resource.path).append(1, '\0').append(resource.url).append(1, '\0');
    };
    add(option.kernel);
    std::for_each(option.initrds.begin(), option.initrds.end(), add);
    add(option.devicetree.value_or(Resource()));
    return key.append(option.args);
}

class Collector {
public:
    explicit Collector(FileSource& source) : source_(source), device_(source.self()) {}

    void add(std::string_view format, Configuration configuration) {
        for (Diagnostic& diagnostic : configuration.parsed.diagnostics) {
            clean(diagnostic);
            diagnostics_.push_back(std::move(diagnostic));
        }
        std::map<std::string, std::string> keys_of_this;
        std::map<std::string, int> repeated;  // by the configuration that has the same
        const bool had_default = has_default_;
        for (BootOption& option : configuration.parsed.options) {
            std::string key = boot_key(option, device_);
            const auto known = keys_.find(key);
            if (known != keys_.end()) {
                ++repeated[known->second];
                continue;
            }
            keys_of_this.emplace(std::move(key), configuration.path);
            option.is_default = option.is_default && !had_default;
            has_default_ = has_default_ || option.is_default;
            keep(format, std::move(option));
        }
        keys_.merge(keys_of_this);
        for (const auto& [path, count] : repeated) {
            say(Severity::note, configuration.path, 0,
                Message("config.scan_repeated", {{"count", count}, {"path", path}}));
        }
        paths_ += (paths_.empty() ? "" : ", ") + configuration.path;
    }

    /// A file that a person named. One that adds nothing is left out of what is wrong on the device.
    void add_named(const std::string& path) {
        NamedFile& named = named_.emplace_back();
        named.path = valid_utf8(path);
        auto read = read_named_file(source_, path);
        if (!read) {
            named.reason = read.error().message();
            return;
        }
        named.diagnostics = read->parsed.diagnostics;
        std::for_each(named.diagnostics.begin(), named.diagnostics.end(), [](Diagnostic& each) { clean(each); });
        if (read->parsed.options.empty()) {
            named.reason = Message("config.named_nothing", {{"path", named.path}});
            return;
        }
        const std::size_t before = options_.size();
        add(read->format, {path, std::move(read->parsed)});
        for (std::size_t i = before; i < options_.size(); ++i) {
            named.options.push_back(options_[i].id);
        }
        if (named.options.empty()) {
            named.reason = Message("config.named_repeated", {{"path", named.path}});
        }
    }

    [[nodiscard]] bool has_entries_written_in(std::string_view format) const {
        return std::any_of(options_.begin(), options_.end(),
                           [&](const BootOption& option) { return option.source.format == format; });
    }

    void add(const std::vector<FileSource::Damage>& damage) {
        for (const auto& [path, reason] : damage) {
            Diagnostic diagnostic(Severity::error, path, 0U, 0U, reason);
            clean(diagnostic);
            diagnostics_.push_back(std::move(diagnostic));
        }
    }

    ScanResult result() {
        ScanResult out;
        out.diagnostics = std::move(diagnostics_);
        out.named = std::move(named_);
        if (!options_.empty()) {
            out.finding = std::move(options_);
        } else if (paths_.empty()) {
            out.finding = Nothing{Message("config.scan_no_configuration")};
        } else {
            out.finding = Nothing{Message("config.scan_no_entry", {{"paths", valid_utf8(paths_)}})};
        }
        return out;
    }

private:
    void say(Severity severity, const std::string& file, std::uint32_t line, Message message) {
        diagnostics_.emplace_back(severity, valid_utf8(file), line, 0U, std::move(message));
    }

    static void clean(Diagnostic& diagnostic) {
        diagnostic.file = valid_utf8(diagnostic.file);
        std::vector<Message::Param> params = diagnostic.message.params();
        for (Message::Param& param : params) {
            param.value = valid_utf8(param.value);
        }
        diagnostic.message = Message(diagnostic.message.code(), std::move(params));
    }

    // Each path once, at the first entry that names it. Files of other devices are for the boot to find: asking
    // for them takes a process each.
    void look_for(const Resource& resource, const BootOption& option) {
        if (missing_files_ >= max_missing_files || resource.path.empty() ||
            !(resource.device.is_self() || names_device(resource.device, device_)) ||
            !looked_for_.insert(resource.path).second || is_file(source_, resource.path)) {
            return;
        }
        Diagnostic missing(
            Severity::warning, option.source.file, option.source.line, 0U,
            Message("config.scan_file_missing", {{"path", resource.path}, {"title", option.title}}));
        clean(missing);
        diagnostics_.push_back(std::move(missing));
        if (++missing_files_ == max_missing_files) {
            say(Severity::note, option.source.file, 0,
                Message("config.scan_many_missing", {{"count", max_missing_files}}));
        }
    }

    void look_for_files(const BootOption& option) {
        look_for(option.kernel, option);
        for (const Resource& initrd : option.initrds) {
            look_for(initrd, option);
        }
        look_for(option.devicetree.value_or(Resource()), option);
    }

    void keep(std::string_view format, BootOption option) {
        look_for_files(option);  // by the names' own bytes
        if (clean(option)) {
            say(Severity::warning, option.source.file, option.source.line,
                Message("config.scan_not_text", {{"title", option.title}}));
        }
        option.device_id = device_.id;
        option.id = device_.id + "/" + std::string(format) + "/" + option.id;
        const std::string base = option.id;
        for (int again = 2; !ids_.insert(option.id).second; ++again) {
            option.id = base + "#" + std::to_string(again);
        }
        options_.push_back(std::move(option));
    }

    /// Makes every text of the option valid UTF-8. True where one was not.
    static bool clean(BootOption& option) {
        std::vector<std::string*> texts = {&option.id,      &option.title,    &option.args,
                                           &option.version, &option.sort_key, &option.source.file};
        const auto add = [&](Resource& resource) {
            texts.insert(texts.end(), {&resource.path, &resource.url, &resource.device.value});
        };
        add(option.kernel);
        std::for_each(option.initrds.begin(), option.initrds.end(), add);
        if (option.devicetree) {
            add(*option.devicetree);
        }
        for (std::string& title : option.submenus) {
            texts.push_back(&title);
        }
        bool changed = false;
        for (std::string* text : texts) {
            std::string valid = valid_utf8(*text);
            changed = changed || valid != *text;
            *text = std::move(valid);
        }
        return changed;
    }

    FileSource& source_;
    DeviceId device_;
    std::vector<BootOption> options_;
    std::vector<Diagnostic> diagnostics_;
    std::vector<NamedFile> named_;
    std::map<std::string, std::string> keys_;  ///< of the configurations before, with the path of each
    std::set<std::string> ids_;
    std::set<std::string> looked_for_;
    int missing_files_ = 0;
    std::string paths_;
    bool has_default_ = false;
};

}  // namespace

ScanResult scan_file_system(FileSource& source, const std::vector<std::string>& named) {
    Collector collector(source);
    for (const Format& format : formats) {
        // GRUB's blscfg has read these entries already, and it knows the variables in them.
        if (collector.has_entries_written_in(format.name)) {
            continue;
        }
        for (Configuration& configuration : format.read(source)) {
            collector.add(format.name, std::move(configuration));
        }
    }
    for (const std::string& path : named) {
        collector.add_named(path);
    }
    collector.add(source.damage());
    return collector.result();
}

}  // namespace stillboot
