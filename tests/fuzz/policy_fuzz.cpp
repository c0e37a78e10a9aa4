// SPDX-License-Identifier: Apache-2.0
// Any bytes as what happens to the automatic boot: each two are an event and what comes with it. Whatever happens,
// at most one boot is under way, nothing boots that a person stopped, clients are told of all they see, and with
// nobody there it comes to an end.
#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "daemon/policy/policy.hpp"

namespace {

using namespace stillboot;
using namespace std::chrono_literals;
using policy::Candidate;
using policy::Claim;
using policy::Phase;
using policy::Policy;
using policy::Strict;

void insist(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

// Longer than what a std::string holds in itself, so that one that is gone is seen.
const std::array options{Candidate("nvme-0025-38b1-0001-4a53/grub/usual", "A"),
                         Candidate("usb-0025-38b1-0002-4a53/bls/recovery", "B"),
                         Candidate("scsi-0025-38b1-0003-4a53/grub/older", "C")};
constexpr std::size_t max_steps = 512;
constexpr unsigned max_boots = 512;

/// What a client sees of it.
struct Seen {
    explicit Seen(const Policy& policy)
        : phase(policy.phase()),
          target(policy.target()),
          better(policy.better()),
          by(policy.by()),
          failure(policy.last_failure()),
          why(policy.why()),
          beaten(policy.beaten()),
          strict(policy.strict()) {}
    Phase phase;
    std::optional<Candidate> target, better;
    std::optional<Message> by, failure;
    Message why;
    std::vector<policy::Beaten> beaten;
    bool strict;
    bool operator==(const Seen&) const = default;
};

/// The events, and beside the policy the little that must hold of it.
class Story {
public:
    explicit Story(std::uint8_t first)
        : strict_(strict_of(first)), policy_(timeout_of(first), strict_), seen_(policy_) {}

    void tell(char event, std::uint8_t with);
    void end();

private:
    static std::optional<std::chrono::seconds> timeout_of(std::uint8_t code) {
        constexpr std::array<int, 4> timeouts{0, 5, 60, -1};
        const int value = timeouts.at(code % 4);
        return value < 0 ? std::nullopt : std::optional(std::chrono::seconds(value));
    }
    // A limit that is over already is among them.
    [[nodiscard]] std::optional<Strict> strict_of(std::uint8_t code) const {
        constexpr std::array limits{0s, 30s, 600s};
        const unsigned kind = code / 4 % 4;
        return kind == 0 ? std::nullopt : std::optional(Strict{start_ + limits.at(kind - 1), code / 16U % 4});
    }

    [[nodiscard]] static std::vector<Claim> claims_of(std::uint8_t code);
    void settings(std::uint8_t with);
    void boot_by_client(const Candidate& chosen);
    void boot_failed(bool settles_again);
    void deaths(const Candidate& of);
    void on_time();
    void on_wake();
    void see(const policy::Actions& actions);
    void see_boot(const std::string& option);
    void check_state() const;
    void check_countdown() const;

    const policy::Instant start_{1h};
    policy::Instant now_ = start_;
    std::vector<Claim> claims_;
    std::set<std::string> tried_;  // since a round began
    std::optional<std::string> retry_;
    bool began_ = false;  // discovery has settled for the first time
    bool settled_ = false;
    bool booting_ = false;
    bool asked_ = false;    // what boots is what a client chose
    bool stopped_ = false;  // by a person, or since the final action was done
    std::optional<Strict> strict_;
    Policy policy_;
    Seen seen_;
};

// The first rule names none, one or two of the first two options, and is waited for or not; the second all of
// them, the last or none.
std::vector<Claim> Story::claims_of(std::uint8_t code) {
    constexpr std::array waits{0s, 20s, 3600s, 0s};
    Claim rule{Message("daemon.by_saved"), waits.at(code / 4 % 4), {}};
    for (unsigned option = 0; option < 2; ++option) {
        if ((code >> option) % 2 != 0) {
            rule.names.push_back(options.at(option));
        }
    }
    Claim usual{Message("daemon.by_configuration"), 0s, {}};
    const std::size_t first = code / 16 % 4;
    usual.names.assign(options.begin() + static_cast<std::ptrdiff_t>(first == 1 ? 2 : 0),
                       first == 0 ? options.begin() : options.end());
    rule.for_once = code / 4 % 4 == 3;
    rule.by = Message(rule.for_once ? "daemon.by_one_shot" : "daemon.by_saved");
    return first == 3 ? std::vector{usual} : std::vector{rule, usual};
}

void Story::tell(char event, std::uint8_t with) {
    const std::uint8_t digit = static_cast<std::uint8_t>(with - '0') % 64;
    const Candidate& option = options.at(digit % options.size());
    switch (event) {
        case '+': now_ += std::chrono::seconds(digit); break;
        case 'm': now_ += std::chrono::minutes(digit); break;
        case 'w': on_wake(); break;
        case 't': on_time(); break;
        case 's':
            settled_ = began_ = true;
            see(policy_.on_settled(now_, digit % 2 == 0));
            break;
        case 'c': see(policy_.on_claims(now_, claims_ = claims_of(digit))); break;
        case 'h': see(policy_.on_choice(now_, claims_ = claims_of(digit))); break;
        case 'n': settings(with); break;
        case 'b': boot_by_client(option); break;
        case 'f': boot_failed(false); break;
        case 'F': boot_failed(true); break;
        case 'x':
            see(policy_.on_cancel(now_));
            stopped_ = true;
            break;
        case 'r':
            if (!began_) {
                see(policy_.on_retry(option));
                retry_ = option.option;
            }
            break;
        case 'p':
            if (!began_) {
                see(policy_.on_script_begun(now_ + std::chrono::seconds(digit), Message("daemon.why_script")));
            }
            break;
        case 'e': see(policy_.on_script_ended(now_)); break;
        case 'd': deaths(option); break;
        case 'g':
            if (!began_ && !booting_) {
                see(policy_.on_recovering());
                tried_.insert(option.option);
                see(policy_.on_recovered(option.option, Message("daemon.strict")));
            }
            break;
        default: break;
    }
    check_state();
}

void Story::settings(std::uint8_t with) {
    strict_ = strict_of(with);
    see(policy_.on_settings(now_, timeout_of(with), strict_));
    if (!policy_.strict()) {
        strict_.reset();  // a clock that stands is not wound up
    }
}

void Story::boot_by_client(const Candidate& chosen) {
    if (!booting_) {
        asked_ = true;
        see(policy_.on_boot(now_, chosen));
        insist(booting_);
    }
}

void Story::boot_failed(bool settles_again) {
    if (booting_) {
        booting_ = false;
        settled_ = settled_ && !settles_again;
        stopped_ = stopped_ || (asked_ && !policy_.strict());
        asked_ = false;
        see(policy_.on_boot_failed(now_, Message("daemon.option_gone", {{"option", "x"}}), settles_again));
    }
}

void Story::deaths(const Candidate& of) {
    if (!settled_ && !booting_) {
        if (policy_.strict()) {
            tried_.insert(of.option);
        } else {
            stopped_ = true;
        }
        see(policy_.on_deaths(now_, of.option));
    }
}

void Story::on_time() {
    const auto at = policy_.wake_at();
    if (at && now_ >= *at && policy_.why().code() == "daemon.why_backing_off") {
        tried_.clear();
    }
    see(policy_.on_time(now_));
}

// The caller's timer.
void Story::on_wake() {
    now_ = std::max(now_, policy_.wake_at().value_or(now_));
    on_time();
}

void Story::see_boot(const std::string& option) {
    insist(!booting_ && policy_.phase() == Phase::handover && policy_.target()->option == option);
    if (!asked_) {
        insist(settled_ && !stopped_);
        insist(!strict_ || now_ < strict_->ends_at);
        insist(retry_ == option || !tried_.contains(option));
    }
    retry_.reset();
    tried_.insert(option);
    booting_ = true;
}

void Story::see(const policy::Actions& actions) {
    if (actions.boot) {
        see_boot(*actions.boot);
    }
    insist(!actions.cancel_boot || booting_);
    if (actions.ended) {
        insist(!stopped_ && !booting_ && !policy_.strict());
        stopped_ = true;
    }
    const Seen now(policy_);
    insist(actions.changed || now == seen_);
    seen_ = now;
}

void Story::check_countdown() const {
    const auto& target = policy_.target();
    insist(target && policy_.wake_at());
    insist(!policy_.better() || policy_.better()->option != target->option);
    insist(policy_.by() || retry_ == target->option);
    insist(!policy_.chosen_for_once() || policy_.by()->code() == "daemon.by_one_shot");
    insist(claims_.empty() || policy_.first() != nullptr || retry_);
    for (const Claim& claim : claims_) {
        if (claim.by == policy_.by()) {
            insist(std::find(claim.names.begin(), claim.names.end(), *target) != claim.names.end());
        }
    }
}

void Story::check_state() const {
    const Phase phase = policy_.phase();
    insist(booting_ == (phase == Phase::handover));
    insist(policy_.target().has_value() == (phase == Phase::countdown || phase == Phase::handover));
    insist(policy_.remaining(now_).value_or(0ms) >= 0ms);
    insist(policy_.remaining(now_).has_value() == (phase == Phase::countdown || phase == Phase::waiting));
    const bool clock = phase == Phase::countdown || phase == Phase::waiting || policy_.strict();
    insist(policy_.wake_at().has_value() == (clock && !booting_));
    insist(!policy_.why().sentence().empty());
    insist((phase == Phase::discovering) <= !settled_);
    insist(!policy_.clock_runs() || !stopped_);
    insist(!policy_.has_other() || policy_.first() != nullptr);
    if (phase == Phase::countdown) {
        check_countdown();
    }
}

// Nobody does anything any more, and every boot fails: it comes to rest, in strict mode by the final action.
void Story::end() {
    tell('s', '0');
    const bool strict = policy_.strict();
    for (unsigned boots = 0; booting_ || policy_.wake_at(); ++boots) {
        insist(boots < max_boots);
        tell(booting_ ? 'f' : 'w', '0');
    }
    insist(policy_.phase() == Phase::idle && !policy_.strict());
    insist(!strict || stopped_);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    Story story(data[0]);
    for (std::size_t at = 1; at + 1 < size && at < 2 * max_steps; at += 2) {
        story.tell(static_cast<char>(data[at]), data[at + 1]);
    }
    story.end();
    return 0;
}
