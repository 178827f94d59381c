#include "core/address.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace pgod {

namespace {

constexpr unsigned all_bits_v4 = 32;
constexpr unsigned all_bits_v6 = 128;
constexpr std::size_t groups_v6 = 8;

using Groups = std::vector<std::uint16_t>;

std::optional<Address> parse_v4(std::string_view text) {
    const auto parts = split(text, '.');
    Address address;
    if (parts.size() != 4)
        return std::nullopt;
    for (std::size_t i = 0; i < 4; ++i) {
        const auto number = parse_decimal(parts[i]);
        if (!number || *number > 255 || (parts[i].size() > 1 && parts[i].front() == '0'))
            return std::nullopt;
        address.bytes[i] = static_cast<std::uint8_t>(*number);
    }
    return address;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
    if (text.empty() || text.size() > 4)
        return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        const bool digit = c >= '0' && c <= '9';
        const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        if (!digit && (lower < 'a' || lower > 'f'))
            return std::nullopt;
        value = value * 16 + static_cast<unsigned>(digit ? c - '0' : lower - 'a' + 10);
    }
    return static_cast<std::uint16_t>(value);
}

// "a:b:c" or nothing; an IPv4 address may be the end of the last part (RFC 4291 section 2.2).
std::optional<Groups> parse_groups(std::string_view text, bool last) {
    Groups groups;
    if (text.empty())
        return groups;
    const auto parts = split(text, ':');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (last && i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
            const auto end = parse_v4(parts[i]);
            if (!end)
                return std::nullopt;
            groups.push_back(static_cast<std::uint16_t>(end->bytes[0] << 8 | end->bytes[1]));
            groups.push_back(static_cast<std::uint16_t>(end->bytes[2] << 8 | end->bytes[3]));
        } else if (const auto group = parse_group(parts[i])) {
            groups.push_back(*group);
        } else {
            return std::nullopt;
        }
    }
    return groups;
}

std::optional<Address> parse_v6(std::string_view text) {
    const auto gap = text.find("::");
    const bool has_gap = gap != std::string_view::npos;
    auto front = parse_groups(text.substr(0, gap), !has_gap);
    const auto back = has_gap ? parse_groups(text.substr(gap + 2), true) : Groups{};
    if (!front || !back)
        return std::nullopt;
    const std::size_t given = front->size() + back->size();
    if (has_gap ? given >= groups_v6 : given != groups_v6)
        return std::nullopt;
    front->resize(groups_v6 - back->size());
    front->insert(front->end(), back->begin(), back->end());
    Address address{true, {}};
    for (std::size_t i = 0; i < groups_v6; ++i) {
        address.bytes[2 * i] = static_cast<std::uint8_t>((*front)[i] >> 8);
        address.bytes[2 * i + 1] = static_cast<std::uint8_t>((*front)[i] & 0xff);
    }
    return address;
}

// "10.1.*" is 10.1.0.0/16.
std::optional<AddressBlock> parse_wildcard(std::string_view pattern) {
    std::string address;
    unsigned parts = 0;
    const auto words = split(pattern, '.');
    for (const auto word : words) {
        if (word == "*" && &word != &words.front() && parts < 4)
            break;
        const auto number = parse_decimal(word);
        if (!number || *number > 255)
            return std::nullopt;
        address += (address.empty() ? "" : ".") + std::to_string(*number);
        ++parts;
    }
    if (parts == 0 || parts > 3 || words.size() > 4 ||
        std::any_of(words.begin() + parts, words.end(), [](auto word) { return word != "*"; }))
        return std::nullopt;
    for (unsigned i = parts; i < 4; ++i)
        address += ".0";
    return AddressBlock{false, *parse_address(address), static_cast<std::uint8_t>(8 * parts)};
}

bool is_clear_beyond(const Address& address, unsigned bits) noexcept {
    const std::size_t size = address.v6 ? 16 : 4;
    for (std::size_t i = 0; i < size; ++i) {
        const unsigned counted =
            bits <= 8 * i ? 0 : std::min<unsigned>(8, bits - static_cast<unsigned>(8 * i));
        if ((address.bytes[i] & (0xffU >> counted)) != 0)
            return false;
    }
    return true;
}

std::string address_text(const Address& address) {
    const auto& bytes = address.bytes;
    if (!address.v6)
        return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
    std::string text;
    std::size_t last = groups_v6; // zeros at the end are left out
    while (last > 0 && bytes[2 * last - 1] == 0 && bytes[2 * last - 2] == 0)
        --last;
    for (std::size_t i = 0; i < last; ++i)
        text += fmt::format("{}{:x}", i == 0 ? "" : ":", bytes[2 * i] << 8 | bytes[2 * i + 1]);
    return last == groups_v6 ? text : text + "::";
}

} // namespace

std::optional<Address> parse_address(std::string_view text) {
    if (text.find(':') == std::string_view::npos)
        return parse_v4(text);
    const auto address = parse_v6(text);
    constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (!address || !std::equal(mapped.begin(), mapped.end(), address->bytes.begin()))
        return address;
    Address inner;
    std::copy(address->bytes.begin() + 12, address->bytes.end(), inner.bytes.begin());
    return inner;
}

std::optional<Address> address_of_peer(std::string_view peer) {
    if (peer.starts_with('[')) {
        const auto end = peer.find_first_of("]%"); // a link-local address has its interface behind it
        return end == std::string_view::npos ? std::nullopt : parse_address(peer.substr(1, end - 1));
    }
    return parse_address(peer.substr(0, peer.rfind(':')));
}

std::optional<AddressBlock> parse_block(std::string_view pattern) {
    const auto slash = pattern.find('/');
    if (pattern.find('*') != std::string_view::npos)
        return parse_wildcard(pattern);
    const auto address = parse_address(pattern.substr(0, slash));
    if (!address)
        return std::nullopt;
    const unsigned all = address->v6 ? all_bits_v6 : all_bits_v4;
    const auto bits = slash == std::string_view::npos ? std::optional<std::uint64_t>(all)
                                                      : parse_decimal(pattern.substr(slash + 1));
    if (!bits || *bits > all || !is_clear_beyond(*address, static_cast<unsigned>(*bits)))
        return std::nullopt;
    return AddressBlock{false, *address, static_cast<std::uint8_t>(*bits)};
}

std::string block_text(const AddressBlock& block) {
    return fmt::format("{}{}/{}", block.negated ? "!" : "", address_text(block.address), block.bits);
}

bool is_within(const AddressBlock& block, const Address& address) noexcept {
    if (block.address.v6 != address.v6)
        return false;
    for (unsigned bit = 0; bit < block.bits; bit += 8) {
        const unsigned counted = std::min<unsigned>(8, block.bits - bit);
        const auto mask = static_cast<std::uint8_t>(0xff00U >> counted);
        if (((block.address.bytes[bit / 8] ^ address.bytes[bit / 8]) & mask) != 0)
            return false;
    }
    return true;
}

} // namespace pgod
