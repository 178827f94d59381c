// Keys and their options as a repository or an administrator writes them, and what they grant. What was read
// is written and read again: it must grant the same.
#include "target.hpp"

#include "core/key_grant.hpp"
#include "core/public_key.hpp"

namespace {

using namespace pgod;

void check_grant(const KeyGrant& grant) {
    const auto again = parse_key_options(key_options_text(grant));
    fuzz::require(again && *again == grant);
    fuzz::require(grant.from.size() <= KeyGrant::max_blocks);
    (void)counts(grant, {reconcile::Time{}, parse_address("192.0.2.1")});
    (void)grants(grant, Op::exec);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    if (const auto options = parse_key_options(text))
        check_grant(*options);
    const auto line = parse_key_line(text);
    if (line && *line) {
        const PublicKey& key = **line;
        fuzz::require(is_accepted_key_type(key.type));
        check_grant(key.grant);
        const auto bare = parse_key_line(key.type + " " + key.base64);
        fuzz::require(bare && *bare && (*bare)->type == key.type && (*bare)->base64 == key.base64);
    }
    for (const auto& key : parse_key_file(text, "fuzz.pub").keys)
        check_grant(key.grant);
    if (const auto block = parse_block(text)) {
        const auto again = parse_block(block_text(*block));
        fuzz::require(again && *again == *block);
        (void)is_within(*block, block->address);
    }
    (void)address_of_peer(text);
    return 0;
}
