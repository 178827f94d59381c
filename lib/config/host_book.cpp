#include "config/host_book.hpp"

#include "base/text.hpp"
#include "config/config.hpp"
#include "config/file.hpp"
#include "config/reader.hpp"
#include "core/host_list.hpp"
#include "core/pin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pgod {

namespace {

using namespace config;

constexpr std::array<std::string_view, 2> book_keys{"hosts", "groups"};
constexpr std::array<std::string_view, 3> host_keys{"port", "identity", "host_key"};
constexpr std::size_t max_identity = 1024; // bytes

Error refused(std::string sentence) {
    return Error{Code::invalid, std::move(sentence)};
}

Result<std::string> parse_identity(std::string_view text) {
    const bool shaped = !text.empty() && text.size() <= max_identity && escaped(text) == text &&
                        (text.starts_with('/') || text.starts_with("~/") || text.starts_with('$'));
    if (!shaped)
        return refused("must be a key's file, such as \"~/.ssh/web\", or \"$NAME\", whose variable holds it");
    return std::string(text);
}

Result<std::string> parse_group_name(std::string_view text) {
    if (!is_service_name(text))
        return refused(fmt::format("must have names of lower-case letters, digits and \"-\", not \"{}\"",
                                   escaped(shortened(text, 60))));
    return std::string(text);
}

class BookReader {
  public:
    explicit BookReader(Complaints& errors)
        : errors_(errors) {}

    HostBook read(const toml::table& root) {
        TableReader(root, errors_)
            .check_keys(book_keys, host_keys, "belongs to a host: put it under [hosts.\"NAME\"]");
        each(root, "hosts", "[hosts.\"NAME\"]",
             [this](std::string_view name, const toml::node& node) { read_host(name, node); });
        each(root, "groups", "NAME = [ \"HOST\", … ]",
             [this](std::string_view name, const toml::node& node) { read_group(name, node); });
        return std::move(book_);
    }

  private:
    template<typename Take>
    void each(const toml::table& root, std::string_view key, std::string_view shape, Take take) {
        const auto* node = root.get(key);
        if (node == nullptr)
            return;
        if (const auto* table = node->as_table())
            for (const auto& [name, value] : *table)
                take(name.str(), value);
        else
            errors_.add(node->source(), fmt::format("{} must be a table: {}", key, shape));
    }

    void read_host(std::string_view name, const toml::node& node) {
        const auto* table = node.as_table();
        if (table == nullptr)
            return errors_.add(
                node.source(),
                fmt::format("hosts must hold tables only, not {}: put a name with dots in quotes",
                            type_name(node)));
        if (const auto good = check_host(name); !good)
            return errors_.add(node.source(), good.error().message);
        const TableReader reader(*table, errors_);
        reader.check_keys(host_keys, {}, {});
        HostDefaults& host = book_.hosts[std::string(name)];
        if (unsigned port = 0; table->contains("port")) {
            reader.integer("port", 1, 65535, port);
            host.port = static_cast<std::uint16_t>(port);
        }
        reader.text("identity", parse_identity, host.identity);
        reader.text("host_key", parse_pin, host.host_key);
    }

    void read_group(std::string_view name, const toml::node& node) {
        if (const auto good = parse_group_name(name); !good)
            return errors_.add(node.source(), "groups " + good.error().message);
        const auto* array = node.as_array();
        if (array == nullptr || array->empty())
            return errors_.add(node.source(), fmt::format("groups.{} must be an array of hosts such as "
                                                          "[ \"a.example.org\", \"b.example.org\" ]",
                                                          name));
        auto& members = book_.groups[std::string(name)];
        for (const auto& entry : *array) {
            const auto* text = entry.as_string();
            const auto good = text != nullptr ? check_host(text->get()) : Status(refused("must be a string"));
            if (!good)
                errors_.add(entry.source(), fmt::format("groups.{}: {}", name, good.error().message));
            else if (std::find(members.begin(), members.end(), text->get()) == members.end())
                members.push_back(text->get());
        }
        if (members.size() > max_hosts)
            errors_.add(node.source(), fmt::format("groups.{} must hold at most {} hosts", name, max_hosts));
    }

    Complaints& errors_;
    HostBook book_;
};

} // namespace

HostBookReport parse_host_book(std::string_view text, std::string_view file_name) {
    HostBookReport report;
    Complaints errors;
    if (const auto parsed = toml::parse(text))
        report.book = BookReader(errors).read(parsed.table());
    else
        errors.add(parsed.error().source(),
                   fmt::format("not valid TOML: {}", escaped(parsed.error().description())));
    report.errors = std::move(errors).take(file_name);
    return report;
}

HostBookReport load_host_book(const std::string& path) {
    auto file = read_config_file(path);
    if (file)
        return parse_host_book(file->text, path);
    HostBookReport report;
    if (file.error().code != Code::gone)
        report.errors.push_back(fmt::format("{}: {}", escaped(path), file.error().message));
    return report;
}

} // namespace pgod
