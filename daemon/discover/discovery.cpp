// SPDX-License-Identifier: Apache-2.0
// Devices come, are scanned, and go.
#include "daemon/discover/discovery.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "config/base/utf8.hpp"

namespace stillboot::discover {
namespace {

using SteadyClock = std::chrono::steady_clock;

// What a scan would see differently.
bool same_content(const BlockFacts& a, const BlockFacts& b) {
    return a.node == b.node && a.size_bytes == b.size_bytes && a.filesystem == b.filesystem && a.uuid == b.uuid &&
           a.label == b.label && a.has_medium == b.has_medium && a.has_partition_table == b.has_partition_table;
}

Error device_gone(const std::string& id) {
    return Error("config.device_missing", {{"kind", to_word(DeviceRef::Kind::id)}, {"value", id}});
}

// Where a device holds no file system to read a file from.
Message why_not_read(const ScanResult& result) {
    if (const auto* container = std::get_if<Container>(&result.finding)) {
        return container->reason;
    }
    const auto* nothing = std::get_if<Nothing>(&result.finding);
    return nothing == nullptr ? Message("daemon.not_read") : nothing->reason;
}

}  // namespace

Discovery::Discovery(Spawner spawner, DeviceSource& source, Scanner& scanner, registry::Registry& registry,
                     Log& log, DiscoverySettings settings, DiscoveryEvents events)
    : spawner_(std::move(spawner)),
      source_(source),
      scanner_(scanner),
      registry_(registry),
      log_(log),
      settings_(std::move(settings)),
      events_(std::move(events)),
      queue_(spawner_.executor(), settings_.udev_directory),
      settle_timer_(spawner_.executor()) {}

void Discovery::start() {
    resync(true);
    spawner_.spawn("watching devices", watch_devices());
    begin_settling();
}

void Discovery::begin_settling() {
    started_ = last_event_ = SteadyClock::now();
    spawner_.spawn("watching udev's queue", watch_queue());
    reconsider_settled();
}

void Discovery::settle_again() {
    if (std::exchange(settled_, false)) {
        queue_ = UdevQueue(settle_timer_.get_executor(), settings_.udev_directory);
        begin_settling();
    }
}

boost::asio::awaitable<void> Discovery::watch_devices() {
    for (;;) {
        const DeviceEvent event = co_await source_.next();
        on_event(event);
        start_scans();
        events_.on_change();
        reconsider_settled();
    }
}

boost::asio::awaitable<void> Discovery::watch_queue() {
    while (!settled_) {
        co_await queue_.changed();
        reconsider_settled();
    }
    queue_.close();
}

void Discovery::on_event(const DeviceEvent& event) {
    last_event_ = SteadyClock::now();
    switch (event.kind) {
        case DeviceEvent::Kind::added:
        case DeviceEvent::Kind::changed: return put(event.facts, event.media_change, true);
        case DeviceEvent::Kind::removed: return remove(event.facts.devpath);
        case DeviceEvent::Kind::interface_added:
            return log_.debug(Message("daemon.interface_added", {{"name", event.facts.name}}));
        case DeviceEvent::Kind::interface_removed:
            return log_.debug(Message("daemon.interface_removed", {{"name", event.facts.name}}));
        case DeviceEvent::Kind::lost_events: return resync(true);
    }
}

// Two disks can claim one stable id: the later one is told apart by its kernel name.
std::string Discovery::unique_id(const BlockFacts& facts) const {
    const std::string id = stable_id(facts);
    const bool taken = std::any_of(entries_.begin(), entries_.end(), [&](const auto& each) {
        return each.first != facts.devpath && each.second->record.identity.id == id;
    });
    return taken ? id + "~" + facts.name : id;
}

std::string Discovery::disk_id(const BlockFacts& facts) const {
    const auto disk = entries_.find(facts.disk_devpath);
    if (disk != entries_.end()) {
        return disk->second->record.identity.id;
    }
    BlockFacts whole = facts;
    whole.is_partition = false;
    return stable_id(whole);
}

void Discovery::put(const BlockFacts& facts, bool media_change, bool rescan_wanted) {
    auto& entry = entries_[facts.devpath];
    const bool is_new = !entry;
    if (is_new) {
        entry = std::make_shared<Entry>();
    }
    const bool other = !is_new && (media_change || !same_content(entry->facts, facts));
    if (is_new || !(entry->facts == facts)) {
        const DeviceId before = entry->record.identity;
        entry->facts = facts;
        const std::string id = is_new ? unique_id(facts) : before.id;
        entry->record = record_of(facts, id, facts.is_partition ? disk_id(facts) : id);
        registry_.put_device(entry->record);
        if (is_new || other) {
            repeat_askers(before, entry.get());
            repeat_askers(entry->record.identity, entry.get());
        }
    }
    if (other) {
        act(entry, entry->machine.on_content_changed());
    } else if (is_new || rescan_wanted) {
        act(entry, entry->machine.on_scan_wanted());
    }
}

void Discovery::remove(const std::string& devpath) {
    const auto found = entries_.find(devpath);
    if (found == entries_.end()) {
        return;
    }
    const EntryPtr entry = found->second;
    entries_.erase(found);
    log_.info(
        Message("daemon.device_removed", {{"title", entry->record.title}, {"node", entry->record.identity.node}}));
    registry_.remove_device(entry->record.identity.id);
    act(entry, entry->machine.on_removed());
    for (const Adding& adding : std::exchange(entry->adding, {})) {
        adding.done(device_gone(entry->record.identity.id));
    }
    repeat_askers(entry->record.identity, entry.get());
}

// What has gone goes first: a device that came back in another place takes its id again.
void Discovery::resync(bool rescan_wanted) {
    const auto paths = source_.devpaths();
    const std::set<std::string> there(paths.begin(), paths.end());
    std::vector<std::string> gone;
    for (const auto& [devpath, entry] : entries_) {
        if (!there.contains(devpath)) {
            gone.push_back(devpath);
        }
    }
    for (const auto& devpath : gone) {
        remove(devpath);
    }
    for (const auto& devpath : paths) {
        if (const auto facts = source_.read(devpath)) {
            put(*facts, false, rescan_wanted);
            start_scans();  // at once: reading the facts of many devices takes longer than a scan
        } else {
            remove(devpath);
        }
    }
    events_.on_change();
}

bool Discovery::rescan(const std::optional<std::string>& device) {
    if (!device) {
        resync(true);
        return true;
    }
    for (const auto& [devpath, entry] : entries_) {
        if (entry->record.identity.id == *device || entry->record.identity.node == *device) {
            act(entry, entry->machine.on_scan_wanted());
            start_scans();
            events_.on_change();
            return true;
        }
    }
    return false;
}

// A scan that asked about this device, found or not, would now be answered differently.
void Discovery::repeat_askers(const DeviceId& device, const Entry* except) {
    for (const auto& [devpath, entry] : entries_) {
        const bool asked =
            entry->asked_any || std::any_of(entry->asked.begin(), entry->asked.end(),
                                            [&](const auto& ref) { return names_device(ref, device); });
        if (asked && entry.get() != except) {
            act(entry, entry->machine.on_scan_wanted());
        }
    }
}

void Discovery::act(const EntryPtr& entry, const DeviceActions& actions) {
    if (actions.cancel) {
        entry->cancel.emit(boost::asio::cancellation_type::terminal);
    }
    if (actions.enqueue) {
        registry_.set_state(entry->record.identity.id, protocol::DeviceState::queued);
    }
}

// First scans before repeated ones, so that a device that changes for ever starves no other; then the fixed order.
Discovery::EntryPtr Discovery::next_queued() const {
    EntryPtr best;
    for (const auto* record : registry_.records()) {
        for (const auto& [devpath, entry] : entries_) {
            if (entry->record.identity.id == record->identity.id &&
                entry->machine.state() == DeviceMachine::State::queued && (!best || entry->scans < best->scans)) {
                best = entry;
            }
        }
    }
    return best;
}

void Discovery::start_scans() {
    while (!paused_ && running_ < settings_.parallel) {
        const EntryPtr entry = next_queued();
        if (!entry) {
            break;
        }
        ++entry->scans;
        entry->asked.clear();
        entry->asked_any = false;
        entry->machine.on_started();
        for (Adding& adding : entry->adding) {
            adding.begun = true;
        }
        if (auto reason = why_not_scanned(entry->facts)) {
            ScanResult nothing;
            nothing.finding = Nothing{std::move(*reason)};
            ++running_;
            finish(entry, std::move(nothing));
            continue;
        }
        registry_.set_state(entry->record.identity.id, protocol::DeviceState::scanning);
        ++running_;
        spawner_.spawn("scanning " + entry->record.identity.node, run_scan(entry), entry->cancel.slot());
    }
}

boost::asio::awaitable<void> Discovery::run_scan(EntryPtr entry) {
    std::optional<Result<ScanResult>> result;
    std::exception_ptr thrown;
    try {
        auto handler = [this, entry](probe::Question question) { return answer(entry, std::move(question)); };
        auto scanned = co_await scanner_.scan(entry->record.identity, entry->named, std::move(handler));
        result.emplace(std::move(scanned));
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown) {
        result.emplace(Error("daemon.scan_faulted", {{"what", describe(thrown)}}));
    }
    finish(entry, std::move(*result));
    events_.on_change();  // the result before the next scans: starting those takes a while
    start_scans();
    events_.on_change();
    reconsider_settled();
}

void Discovery::finish(const EntryPtr& entry, Result<ScanResult> result) {
    --running_;
    const DeviceActions actions = entry->machine.on_ended();
    const std::string& id = entry->record.identity.id;
    if (actions.publish && result) {
        const std::vector<NamedFile> named = std::move(result->named);
        Message otherwise = why_not_read(*result);
        registry_.set_result(id, std::move(*result));
        tell_adders(*entry, named, otherwise);
    } else if (actions.publish) {
        log_.warning(Message("daemon.scan_failed", {{"title", entry->record.title},
                                                    {"node", entry->record.identity.node},
                                                    {"reason", result.error().sentence()}}));
        registry_.set_failed(id, result.error().message());
        tell_adders(*entry, {}, result.error().message());
    }
    act(entry, actions);
}

// Those whose scan has read their file; the others wait for the next one.
void Discovery::tell_adders(Entry& entry, const std::vector<NamedFile>& named, const Message& otherwise) {
    std::vector<Adding> waiting;
    for (Adding& adding : std::exchange(entry.adding, {})) {
        if (!adding.begun) {
            waiting.push_back(std::move(adding));
            continue;
        }
        const auto found = std::find_if(named.begin(), named.end(), [&](const NamedFile& each) {
            return each.path == valid_utf8(adding.path);
        });
        if (found != named.end() && !found->reason) {
            adding.done(*found);
            continue;
        }
        std::erase(entry.named, adding.path);
        adding.done(Error(found != named.end() ? *found->reason : otherwise));
    }
    entry.adding.insert(entry.adding.begin(), std::make_move_iterator(waiting.begin()),
                        std::make_move_iterator(waiting.end()));
}

void Discovery::add(const std::string& device, const std::string& path, Added done) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& each) { return each.second->record.identity.id == device; });
    if (found == entries_.end()) {
        return done(device_gone(device));
    }
    const EntryPtr entry = found->second;
    if (std::find(entry->named.begin(), entry->named.end(), path) == entry->named.end()) {
        if (entry->named.size() == probe::max_named_files) {
            return done(Error("daemon.too_many_named", {{"count", std::uint64_t{probe::max_named_files}}}));
        }
        entry->named.push_back(path);
    }
    entry->adding.push_back({path, std::move(done)});
    (void)rescan(device);
}

boost::asio::awaitable<probe::Answer> Discovery::answer(EntryPtr entry, probe::Question question) {
    if (question.kind == probe::Question::Kind::find) {
        entry->asked_any = true;
        auto found = co_await find_file(entry, question.path);
        co_return found;
    }
    if (std::find(entry->asked.begin(), entry->asked.end(), question.device) == entry->asked.end()) {
        entry->asked.push_back(question.device);
    }
    const auto device = registry_.resolve(question.device, entry->record.identity.id);
    if (!device) {
        co_return probe::Answer(device.error());
    }
    if (question.kind == probe::Question::Kind::present) {
        probe::Answer yes;
        yes.present = true;
        co_return yes;
    }
    std::string node = (*device)->identity.node;
    auto answered = co_await scanner_.ask(std::move(node), std::move(question));
    co_return answered;
}

boost::asio::awaitable<probe::Answer> Discovery::find_file(EntryPtr entry, std::string path) {
    std::vector<DeviceId> devices;
    for (const auto* record : registry_.records()) {
        if (record->identity.id != entry->record.identity.id && !record->filesystem.empty()) {
            devices.push_back(record->identity);
        }
    }
    probe::Answer found;
    for (const auto& device : devices) {
        probe::Question question(probe::Question::Kind::kind, DeviceRef{DeviceRef::Kind::id, device.id}, path);
        auto answered = co_await scanner_.ask(device.node, std::move(question));
        if (answered.kind == FileSource::Kind::file && found.devices.size() < probe::max_found_devices) {
            found.devices.push_back(device.id);
        }
    }
    co_return found;
}

void Discovery::pause() {
    paused_ = true;
    for (const auto& [devpath, entry] : entries_) {
        if (entry->machine.state() == DeviceMachine::State::scanning) {
            act(entry, entry->machine.on_content_changed());
        }
    }
}

void Discovery::resume() {
    paused_ = false;
    resync(false);
}

bool Discovery::is_busy() const {
    return std::any_of(entries_.begin(), entries_.end(), [](const auto& each) {
        return each.second->machine.state() != DeviceMachine::State::idle;
    });
}

void Discovery::set_parallel(unsigned count) {
    settings_.parallel = count;
    start_scans();
}

void Discovery::reconsider_settled() {
    if (settled_) {
        return;
    }
    const auto now = SteadyClock::now();
    const auto deadline = started_ + settings_.settle_deadline;
    const bool calm = queue_.is_empty() && !is_busy();
    if (now >= deadline || (calm && now >= last_event_ + settings_.quiet_time)) {
        settled_ = true;
        queue_.close();
        return events_.on_settled(now < deadline);
    }
    settle_timer_.expires_at(calm ? std::min(deadline, last_event_ + settings_.quiet_time) : deadline);
    settle_timer_.async_wait([this](boost::system::error_code failure) {
        if (!failure) {
            reconsider_settled();
        }
    });
}

}  // namespace stillboot::discover
