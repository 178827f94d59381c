#include "core/base_images.hpp"

#include "base/text.hpp"
#include "core/plan_shapes.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

namespace pgod {

namespace {

constexpr std::size_t max_images = 64;

// Instructions, with their continued lines joined; comments left out.
std::vector<std::string> instructions_of(std::string_view text) {
    std::vector<std::string> instructions;
    std::string joined;
    for (auto line : split(text, '\n')) {
        line = trimmed(line);
        if (line.starts_with('#'))
            continue;
        const bool goes_on = line.ends_with('\\');
        if (goes_on)
            line.remove_suffix(1);
        joined.append(line).append(" ");
        if (goes_on)
            continue;
        instructions.push_back(std::move(joined));
        joined.clear();
    }
    if (!joined.empty())
        instructions.push_back(std::move(joined));
    return instructions;
}

bool is_name_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

using Values = std::map<std::string, std::string>;

std::string value_of(const std::string& expression, const Values& values) {
    const auto operation = expression.find(':');
    const auto found = values.find(expression.substr(0, operation));
    const std::string value = found == values.end() ? "" : found->second;
    if (operation == std::string::npos || operation + 1 >= expression.size())
        return value;
    const std::string other = expression.substr(operation + 2);
    if (expression[operation + 1] == '-')
        return value.empty() ? other : value;
    return value.empty() ? "" : other; // :+
}

// $NAME, ${NAME}, ${NAME:-default}, ${NAME:+other}; nothing nested.
std::string substituted(std::string_view text, const Values& values) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$') {
            result += text[i];
            continue;
        }
        if (i + 1 < text.size() && text[i + 1] == '{') {
            const auto end = text.find('}', i);
            if (end == std::string_view::npos)
                return {};
            result += value_of(std::string(text.substr(i + 2, end - i - 2)), values);
            i = end;
        } else {
            std::size_t end = i + 1;
            while (end < text.size() && is_name_character(text[end]))
                ++end;
            result += value_of(std::string(text.substr(i + 1, end - i - 1)), values);
            i = end - 1;
        }
    }
    return result;
}

std::string unquoted(std::string_view text) {
    if (text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\''))
        text = text.substr(1, text.size() - 2);
    return std::string(text);
}

class Reader {
  public:
    explicit Reader(const Values& args)
        : given_(args) {}

    void read(const std::vector<std::string>& words) {
        const std::string instruction = lowered(words.front());
        if (instruction == "arg")
            read_arg(words);
        else if (instruction == "from")
            read_from(words);
        else if (instruction == "copy" || instruction == "add" || instruction == "run")
            read_sources(words);
    }
    std::vector<std::string> take() && { return std::move(images_); }

  private:
    // An ARG before the first FROM holds for every FROM.
    void read_arg(const std::vector<std::string>& words) {
        for (std::size_t i = 1; i < words.size(); ++i) {
            const auto equals = words[i].find('=');
            const std::string name = words[i].substr(0, equals);
            if (const auto given = given_.find(name); given != given_.end())
                values_[name] = given->second;
            else if (equals != std::string::npos)
                values_[name] = substituted(unquoted(std::string_view(words[i]).substr(equals + 1)), values_);
        }
    }

    void read_from(const std::vector<std::string>& words) {
        std::size_t at = 1;
        while (at < words.size() && words[at].starts_with("--"))
            ++at;
        if (at == words.size())
            return;
        add(words[at]);
        if (at + 2 < words.size() && lowered(words[at + 1]) == "as")
            stages_.insert(lowered(words[at + 2]));
    }

    void read_sources(const std::vector<std::string>& words) {
        for (std::size_t i = 1; i < words.size() && words[i].starts_with("--"); ++i) {
            if (words[i].starts_with("--from="))
                add(words[i].substr(7));
            if (!words[i].starts_with("--mount="))
                continue;
            for (const auto field : split(std::string_view(words[i]).substr(8), ','))
                if (field.starts_with("from="))
                    add(std::string(field.substr(5)));
        }
    }

    void add(const std::string& text) {
        const std::string image = substituted(unquoted(text), values_);
        const bool is_number =
            std::all_of(image.begin(), image.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
        if (is_number || image == "scratch" || stages_.contains(lowered(image)) ||
            !is_image_reference(image) || images_.size() == max_images ||
            std::find(images_.begin(), images_.end(), image) != images_.end())
            return;
        images_.push_back(image);
    }

    const Values& given_;
    Values values_;
    std::set<std::string> stages_;
    std::vector<std::string> images_;
};

} // namespace

std::vector<std::string> base_images(std::string_view containerfile, const Values& args) {
    Reader reader(args);
    for (const auto& instruction : instructions_of(containerfile))
        if (const auto found = words(instruction); !found.empty())
            reader.read({found.begin(), found.end()});
    return std::move(reader).take();
}

} // namespace pgod
