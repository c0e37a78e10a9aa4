// SPDX-License-Identifier: Apache-2.0
// A thread for each call, so that a dying disk, or firmware, costs only its deadline.
#include "daemon/state/two_copy_store.hpp"

#include "config/base/within.hpp"

namespace stillboot::state {

/// What a call that was given up still holds.
struct TwoCopyStore::Shared {
    std::string place;
    Open open_places;
    std::optional<Copies> copies;
    bool given_up = false;

    Result<const Copies*> open() {
        if (!copies) {
            auto places = open_places();
            if (!places) {
                return places.error();
            }
            copies.emplace(std::move(*places));
        }
        return &*copies;
    }

    template <class T>
    static Result<T> within(const std::shared_ptr<Shared>& shared, std::chrono::milliseconds deadline,
                            std::function<Result<T>(const Copies&)> act) {
        std::optional<Result<T>> outcome;
        if (!shared->given_up) {
            outcome = call_within<Result<T>>(deadline, [shared, act = std::move(act)]() -> Result<T> {
                auto open = shared->open();
                return open ? act(**open) : Result<T>(open.error());
            });
        }
        shared->given_up = !outcome;
        return outcome ? std::move(*outcome) : Error("state.hangs", {{"place", shared->place}});
    }
};

TwoCopyStore::TwoCopyStore(std::string place, Open open, std::chrono::milliseconds deadline)
    : place_(std::move(place)), deadline_(deadline), shared_(std::make_shared<Shared>()) {
    shared_->place = place_;
    shared_->open_places = std::move(open);
}

TwoCopyStore::~TwoCopyStore() = default;

Result<void> TwoCopyStore::write(std::string_view record) {
    return Shared::within<void>(shared_, deadline_,
                                [text = std::string(record)](const Copies& copies) { return copies.write(text); });
}

Result<std::optional<std::string>> TwoCopyStore::read() {
    return Shared::within<std::optional<std::string>>(shared_, deadline_,
                                                      [](const Copies& copies) { return copies.read(); });
}

std::vector<Message> TwoCopyStore::damage() {
    auto found = Shared::within<std::vector<Message>>(shared_, deadline_,
                                                      [](const Copies& copies) { return copies.damage(); });
    return found ? std::move(*found) : std::vector<Message>{found.error().message()};
}

void TwoCopyStore::close() {
    if (!shared_->given_up) {
        shared_->copies.reset();
    }
}

}  // namespace stillboot::state
