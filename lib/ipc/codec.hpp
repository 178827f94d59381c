// The one codec for messages between pgod's processes. A message is a struct with a `fields(archive)` member
// that names its members in order; a frame is the index of the message in its direction's variant, then the
// fields. Integers are little endian and of fixed width, texts and lists carry a 32 bit count.
//
// The decoder trusts nothing: every count is checked against what is left of the frame before anything is
// allocated, an enum value above its last is refused, and bytes left over are an error. The peer of a frame
// that does not decode is ended.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "core/reconcile.hpp"
#include "ipc/core_fields.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace pgod::ipc {

inline constexpr std::size_t max_frame = std::size_t{128} * 1024; // bytes; below the default socket buffer of Linux

class Encoder {
  public:
    void operator()(bool value) { out_.push_back(value ? '\1' : '\0'); }
    template<typename T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>) void operator()(T value) {
        auto bits = static_cast<std::uint64_t>(value);
        for (std::size_t i = 0; i < sizeof(T); ++i, bits >>= 8)
            out_.push_back(static_cast<char>(bits & 0xff));
    }
    void operator()(const std::string& text) {
        (*this)(static_cast<std::uint32_t>(text.size()));
        out_ += text;
    }
    void operator()(const Secret& secret) { (*this)(secret.reveal()); }
    void operator()(const std::chrono::milliseconds& value) {
        (*this)(static_cast<std::int64_t>(value.count()));
    }
    template<typename T>
    void operator()(const std::vector<T>& list) {
        (*this)(static_cast<std::uint32_t>(list.size()));
        for (const auto& item : list)
            (*this)(item);
    }
    template<typename T>
    void operator()(const std::optional<T>& value) {
        (*this)(value.has_value());
        if (value)
            (*this)(*value);
    }
    void operator()(const reconcile::Time& time) {
        (*this)(static_cast<std::int64_t>(time.time_since_epoch().count()));
    }
    template<typename M>
    requires requires(M message, Encoder& self) { message.fields(self); }
    void operator()(const M& message) {
        const_cast<M&>(message).fields(*this); // fields() only reads here
    }
    template<typename T>
    requires requires(const T& value, Encoder& self) { fields_of(self, value); }
    void operator()(const T& value) { fields_of(*this, value); }
    std::string take() && { return std::move(out_); }

  private:
    std::string out_;
};

class Decoder {
  public:
    explicit Decoder(std::string_view frame)
        : rest_(frame) {}

    void operator()(bool& value) {
        std::uint8_t byte = 0;
        (*this)(byte);
        if (byte > 1)
            good_ = false;
        value = byte == 1;
    }
    template<typename T>
    requires std::is_integral_v<T>
    void operator()(T& value) {
        const auto bytes = take(sizeof(T));
        std::uint64_t bits = 0;
        for (std::size_t i = bytes.size(); i-- > 0;)
            bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
        value = static_cast<T>(bits);
    }
    // An enum's last value is given by `last_of(E)`, found by argument-dependent lookup.
    template<typename T>
    requires std::is_enum_v<T>
    void operator()(T& value) {
        std::underlying_type_t<T> raw{};
        (*this)(raw);
        if (raw < 0 || raw > static_cast<std::underlying_type_t<T>>(last_of(T{})))
            good_ = false;
        else
            value = static_cast<T>(raw);
    }
    void operator()(std::string& text) {
        std::uint32_t size = 0;
        (*this)(size);
        text = take(size);
    }
    void operator()(Secret& secret) {
        std::string text;
        (*this)(text);
        secret = Secret(std::move(text));
    }
    void operator()(std::chrono::milliseconds& value) {
        std::int64_t count = 0;
        (*this)(count);
        value = std::chrono::milliseconds(count);
    }
    template<typename T>
    void operator()(std::vector<T>& list) {
        std::uint32_t count = 0;
        (*this)(count);
        list.clear();
        if (count > rest_.size()) // every item takes at least a byte
            good_ = false;
        for (std::uint32_t i = 0; good_ && i < count; ++i)
            (*this)(list.emplace_back());
    }
    template<typename T>
    void operator()(std::optional<T>& value) {
        bool present = false;
        (*this)(present);
        if (!good_ || !present)
            return value.reset();
        T item{};
        (*this)(item);
        value = std::move(item);
    }
    void operator()(reconcile::Time& time) {
        std::int64_t milliseconds = 0;
        (*this)(milliseconds);
        constexpr std::int64_t year_10000 = 253'402'300'800'000;
        if (milliseconds < 0 || milliseconds >= year_10000)
            good_ = false;
        else
            time = reconcile::Time{std::chrono::milliseconds{milliseconds}};
    }
    template<typename M>
    requires requires(M message, Decoder& self) { message.fields(self); }
    void operator()(M& message) { message.fields(*this); }
    template<typename T>
    requires requires(T& value, Decoder& self) { fields_of(self, value); }
    void operator()(T& value) {
        fields_of(*this, value);
        good_ = good_ && sound(value);
    }

    bool complete() const noexcept { return good_ && rest_.empty(); }

  private:
    std::string_view take(std::size_t size) {
        if (!good_ || size > rest_.size()) {
            good_ = false;
            return {};
        }
        const auto bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return bytes;
    }

    std::string_view rest_;
    bool good_ = true;
};

// One frame of a direction, whose messages are the alternatives of Variant.
template<typename... Ms>
std::string encode(const std::variant<Ms...>& message) {
    Encoder encoder;
    encoder(static_cast<std::uint8_t>(message.index()));
    std::visit([&encoder](const auto& alternative) { encoder(alternative); }, message);
    return std::move(encoder).take();
}

namespace detail {
template<typename Variant, std::size_t I = 0>
bool decode_alternative(std::uint8_t index, Decoder& decoder, Variant& out) {
    if constexpr (I < std::variant_size_v<Variant>) {
        if (index == I) {
            decoder(out.template emplace<I>());
            return true;
        }
        return decode_alternative<Variant, I + 1>(index, decoder, out);
    } else {
        return false;
    }
}
} // namespace detail

template<typename Variant>
Result<Variant> decode(std::string_view frame) {
    Decoder decoder(frame);
    std::uint8_t index = 0;
    decoder(index);
    Variant message;
    if (frame.size() > max_frame || !detail::decode_alternative(index, decoder, message) ||
        !decoder.complete())
        return Error{Code::invalid, "malformed frame from a peer process"};
    return message;
}

} // namespace pgod::ipc
