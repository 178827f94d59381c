#include "ipc/believable.hpp"

#include "base/text.hpp"
#include "core/dns_name.hpp"

#include <algorithm>

namespace pgod::ipc {

namespace {

// How many bytes the UTF-8 sequence at the beginning of `text` has; 0: it is none.
std::size_t utf8_length(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || length > text.size())
        return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
            return 0;
    const auto second = length > 1 ? static_cast<unsigned char>(text[1]) : 0U;
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool beyond =
        (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f); // surrogates, U+110000
    return overlong || beyond ? 0 : length;
}

std::string valid_utf8(std::string_view text) {
    std::string valid;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0)
            valid += '?';
        else
            valid += text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return valid;
}

void make_fit(std::string& text, std::size_t limit) {
    text = escaped(valid_utf8(shortened(text, limit)));
}

void make_fit(std::optional<Error>& error) {
    if (error)
        make_fit(error->message, max_reported_sentence);
}

bool is_commit_or_none(std::string_view text) noexcept {
    return text.empty() || is_commit_id(text);
}

bool check(Progress& progress) {
    make_fit(progress.step, max_reported_word);
    return true;
}

bool check(WorkDone& done) {
    make_fit(done.error);
    for (auto& container : done.containers)
        make_fit(container, max_reported_word);
    for (auto& note : done.notes)
        make_fit(note, max_reported_sentence);
    const bool good_urls = std::all_of(done.urls.begin(), done.urls.end(), [](const UrlClaim& claim) {
        return dns_name(claim.name) == claim.name;
    });
    return done.exit_status >= 0 && done.exit_status <= 255 && is_commit_or_none(done.running_commit) &&
           done.containers.size() <= max_reported_containers && done.urls.size() <= max_url_claims &&
           done.notes.size() <= max_reported_notes && good_urls;
}

bool check(AtGate&) {
    return true;
}

bool check(Surveyed& seen) {
    make_fit(seen.service, max_reported_word);
    make_fit(seen.problem, max_reported_sentence);
    return is_commit_or_none(seen.running_commit);
}

bool check(Examined& examined) {
    make_fit(examined.check, max_reported_word);
    make_fit(examined.problem, max_reported_sentence);
    make_fit(examined.remedy, max_reported_sentence);
    return !examined.check.empty();
}

bool check(FoundKey& found) {
    make_fit(found.key.name, max_reported_sentence);
    return is_accepted_key_type(found.key.type) && found.key.base64.size() <= max_key_line &&
           base64_decoded(found.key.base64);
}

bool check(Warned& warned) {
    make_fit(warned.text, max_reported_sentence);
    return true;
}

bool check(Synced& synced) {
    make_fit(synced.error);
    return is_commit_or_none(synced.tip);
}

bool check(Exported& exported) {
    make_fit(exported.error);
    bool good = is_commit_or_none(exported.commit);
    for (auto& named : exported.named) {
        make_fit(named.refused, max_reported_sentence);
        good = good && is_commit_or_none(named.commit);
    }
    return good;
}

} // namespace

bool believable(WorkReport& report) {
    return std::visit([](auto& one) { return check(one); }, report);
}

bool believable(GitReport& report) {
    return std::visit([](auto& one) { return check(one); }, report);
}

} // namespace pgod::ipc
