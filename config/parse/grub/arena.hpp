// SPDX-License-Identifier: Apache-2.0
// Memory that is taken in small pieces and given back in one step, last in first out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace stillboot::grub {

/// A bump allocator for trivially destructible values. What is released keeps its chunk for the next use.
class Arena {
public:
    struct Mark {
        std::size_t chunk = 0;
        std::size_t used = 0;
        std::size_t before = 0;
    };

    /// Lifetime: until release() of a mark taken before, or the arena's end.
    template <class T, class... Args>
    T* make(Args&&... args) {
        static_assert(std::is_trivially_destructible_v<T>);
        return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
    }
    template <class T>
    std::span<T> copy(std::span<const T> items) {
        static_assert(std::is_trivially_copyable_v<T>);
        T* to = static_cast<T*>(allocate(items.size_bytes(), alignof(T)));
        std::uninitialized_copy(items.begin(), items.end(), to);
        return {to, items.size()};
    }
    std::string_view copy(std::string_view text) {
        const std::span<char> to = copy(std::span<const char>(text));
        return {to.data(), to.size()};
    }

    [[nodiscard]] Mark mark() const { return at_; }
    void release(const Mark& mark) {
        const bool same_chunk = mark.chunk == at_.chunk;
        at_ = mark;
        if (!same_chunk) {
            open_chunk();
        }
    }
    /// Bytes in use now.
    [[nodiscard]] std::size_t used() const { return at_.before + at_.used; }

private:
    struct Chunk {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size = 0;
    };
    static constexpr std::size_t chunk_bytes = 32U << 10;

    void* allocate(std::size_t size, std::size_t alignment) {
        std::size_t start = (at_.used + alignment - 1) & ~(alignment - 1);
        if (start + size > chunk_.size()) {
            next_chunk(size);
            start = 0;
        }
        at_.used = start + size;
        return chunk_.data() + start;
    }

    void next_chunk(std::size_t size) {
        if (at_.chunk < chunks_.size()) {
            at_.before += at_.used;
            ++at_.chunk;
        }
        const std::size_t wanted = std::max(size, chunk_bytes);
        if (at_.chunk == chunks_.size()) {
            chunks_.emplace_back();
        }
        Chunk& chunk = chunks_[at_.chunk];
        if (chunk.size < wanted) {
            chunk.bytes = std::make_unique<std::byte[]>(wanted);
            chunk.size = wanted;
        }
        at_.used = 0;
        open_chunk();
    }

    void open_chunk() {
        chunk_ = at_.chunk < chunks_.size() ? std::span(chunks_[at_.chunk].bytes.get(), chunks_[at_.chunk].size)
                                            : std::span<std::byte>();
    }

    std::vector<Chunk> chunks_;
    std::span<std::byte> chunk_;  ///< the one in use
    Mark at_;
};

}  // namespace stillboot::grub
