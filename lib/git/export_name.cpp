#include "git/export.hpp"

#include <algorithm>
#include <string>

namespace pgod::git {

namespace {

// What NTFS and HFS+ would make of a name: HFS+ ignores some code points of U+200C…U+206F and U+FEFF, NTFS
// what follows a colon and trailing dots and spaces; both ignore case.
std::string folded(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto triple = name.substr(i, 3);
        const bool ignorable =
            triple.size() == 3 &&
            (triple == "\xef\xbb\xbf" || (triple.starts_with("\xe2\x80") && triple[2] >= '\x8c') ||
             (triple.starts_with("\xe2\x81") && triple[2] >= '\xaa'));
        if (ignorable) {
            i += 2;
            continue;
        }
        const char c = name[i];
        if (c == ':' || c == '\\')
            break;
        out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    while (out.ends_with('.') || out.ends_with(' '))
        out.pop_back();
    return out;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

} // namespace

std::string_view objection_to_name(std::string_view name) {
    if (name.empty() || name == "." || name == "..")
        return "is no file name";
    if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos)
        return "is more than one file name";
    if (std::any_of(name.begin(), name.end(), is_control))
        return "holds control characters";
    if (name.size() > 255)
        return "is longer than 255 bytes";
    const auto plain = folded(name);
    const bool short_name =
        plain.size() == 5 && plain.starts_with("git~") && plain[4] >= '0' && plain[4] <= '9';
    if (plain == ".git" || short_name)
        return "stands for a git directory";
    return {};
}

} // namespace pgod::git
