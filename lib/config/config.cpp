#include "config/config.hpp"

#include "base/text.hpp"
#include "config/clashes.hpp"
#include "config/order.hpp"
#include "config/permits.hpp"
#include "config/proxy.hpp"
#include "config/reader.hpp"
#include "config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pgod {

namespace {

using namespace config;

constexpr std::array<std::string_view, 14> file_keys{
    "listen",   "metrics", "interval",      "parallel",   "prune",        "linger",   "state",
    "host_key", "control", "control_users", "admin_keys", "revoked_keys", "services", "proxy"};
constexpr std::array<std::string_view, 22> service_keys{
    "name",    "user",     "repository",    "branch",      "urls",          "ports",
    "volumes", "networks", "allow",         "compose",     "env",           "auto",
    "ops",     "interval", "start_timeout", "credentials", "registry_auth", "env_file",
    "secrets", "after",    "domains",       "profiles"};

Error refused(std::string sentence) {
    return Error{Code::invalid, std::move(sentence)};
}

// One [[services]] table. What spans services (names, DNS names) is remembered here as well.
class ServicesReader {
  public:
    ServicesReader(const Config& config, Complaints& errors, Complaints& warnings)
        : config_(config)
        , errors_(errors)
        , warnings_(warnings) {}

    Service read(const toml::table& table) {
        const TableReader reader(table, errors_);
        reader.check_keys(service_keys, file_keys,
                          "is a setting of the whole file: put it before the first [[services]]");
        Service service;
        service.interval = config_.interval;
        read_identity(reader, service);
        reader.text("interval", parse_interval, service.interval);
        reader.text("start_timeout", parse_start_timeout, service.start_timeout);
        read_compose(reader, service);
        reader.boolean("auto", service.auto_deploy);
        read_ports_and_urls(reader, service);
        read_list(reader, "domains", parse_domain, service.domains);
        read_volumes(reader, service);
        read_list(reader, "networks", parse_network, service.networks);
        read_list(reader, "allow", parse_allow, service.allow);
        read_list(reader, "after", parse_name, service.after);
        read_list(reader, "profiles", parse_profile, service.profiles, max_files_bytes);
        read_env(reader, service);
        read_secret_files(reader, service);
        read_ops(reader, service);
        return service;
    }

  private:
    void read_identity(const TableReader& reader, Service& service) {
        reader.required_text("name", "pgo", parse_name, service.name);
        if (!service.name.empty() && !names_.insert(service.name).second)
            reader.complain("name",
                            fmt::format("name \"{}\" is used by another service above", service.name));
        reader.required_text("user", "miek", parse_user, service.user);
        reader.required_text("repository", "https://github.com/miekg/pgo", parse_repository,
                             service.repository);
        if (service.repository.scheme() == RepositoryUrl::Scheme::http &&
            service.repository.has_credentials())
            warn_of_http(reader);
        reader.text("branch", parse_branch, service.branch);
    }

    static Result<RepositoryUrl> parse_repository(std::string_view text) {
        return RepositoryUrl::parse(text).context("is not accepted");
    }

    void read_ports_and_urls(const TableReader& reader, Service& service) {
        std::vector<PortRange> ports;
        bool good = true; // of a list with errors nothing is concluded
        if (reader.texts("ports", [&ports, &good](std::string_view text) -> Status {
                const auto range = parse_ports(text);
                good = good && range.has_value();
                ports.push_back(TRY(range));
                return ok();
            }))
            service.ports = ports;
        reader.text_pairs("urls", [&](std::string_view key, std::string_view value) -> Status {
            auto name = TRY(parse_url_name(key));
            const auto forward = TRY_DOING(parse_forward(value), fmt::format("of \"{}\"", name));
            if (!dns_names_.insert(name).second)
                return refused(fmt::format("gives \"{}\" twice, here or in a service above", name));
            const auto has_port = [&forward](const PortRange& range) {
                return range.contains(forward.port);
            };
            if (service.ports && good && std::none_of(ports.begin(), ports.end(), has_port))
                return refused(fmt::format("of \"{}\": port {} is outside ports", name, forward.port));
            service.urls.emplace(std::move(name), forward);
            return ok();
        });
    }

    void read_volumes(const TableReader& reader, Service& service) {
        std::size_t bytes = 0;
        reader.texts("volumes", [&](std::string_view text) -> Status {
            auto path = TRY(parse_volume(text));
            if (is_directory(path) && overlap(path, config_.state)) // the private stages lie there
                return refused(fmt::format("must not hold \"{}\": it overlaps the state directory {}",
                                           escaped(path), escaped(config_.state)));
            bytes += path.size();
            warn_of_neighbours(reader, service, path);
            service.volumes.push_back(std::move(path));
            return ok();
        });
        if (bytes > max_list_bytes)
            reader.complain("volumes",
                            fmt::format("volumes must hold at most {} bytes in all", max_list_bytes));
    }

    static bool is_directory(std::string_view volume) { return volume.starts_with('/'); }

    // Within one user the worker keeps services apart (compose/shared_binds.hpp).
    void warn_of_neighbours(const TableReader& reader, const Service& service, const std::string& path) {
        for (const auto& other : config_.services)
            for (const auto& theirs : other.volumes)
                if (other.user != service.user && is_directory(path) && is_directory(theirs) &&
                    overlap(path, theirs))
                    warnings_.add(
                        reader.table().get("volumes")->source(),
                        fmt::format("volumes \"{}\" overlaps \"{}\" of service \"{}\", which belongs to "
                                    "another user: only the file permissions keep the two apart",
                                    escaped(path), escaped(theirs), other.name));
    }

    // One file, or several of which a later one wins.
    static void read_compose(const TableReader& reader, Service& service) {
        const auto* node = reader.table().get("compose");
        if (node != nullptr && node->is_array()) {
            read_list(reader, "compose", parse_compose, service.compose, max_files_bytes);
            if (node->as_array()->empty())
                reader.complain("compose", "compose must name a file, or leave it out for the usual names");
        } else if (std::string file; reader.text("compose", parse_compose, file)) {
            service.compose.push_back(std::move(file));
        }
    }

    // A list of names, each once.
    template<typename Parse>
    static void read_list(const TableReader& reader, std::string_view key, Parse parse,
                          std::vector<std::string>& list, std::size_t most = max_names_bytes) {
        std::size_t bytes = 0;
        reader.texts(key, [&](std::string_view text) -> Status {
            auto name = TRY(parse(text));
            if (std::find(list.begin(), list.end(), name) != list.end())
                return refused(fmt::format("holds \"{}\" twice", name));
            bytes += name.size();
            list.push_back(std::move(name));
            return ok();
        });
        if (bytes > most)
            reader.complain(key, fmt::format("{} must hold at most {} bytes in all", key, most));
    }

    void read_env(const TableReader& reader, Service& service) {
        std::size_t bytes = 0;
        std::set<std::string> names;
        reader.texts("env", [&](std::string_view text) -> Status {
            auto name = TRY(parse_env(text));
            if (names.contains(name))
                return refused(fmt::format("sets {} twice", name));
            names.insert(std::move(name));
            bytes += text.size();
            service.env.emplace_back(text);
            return ok();
        });
        if (bytes > max_list_bytes)
            reader.complain("env", fmt::format("env must hold at most {} bytes in all", max_list_bytes));
    }

    // What the files hold is not judged here: they are read when they are used.
    void read_secret_files(const TableReader& reader, Service& service) {
        reader.text("registry_auth", parse_secret_file, service.registry_auth);
        reader.text("env_file", parse_secret_file, service.env_file);
        read_secrets(reader, service);
        if (!reader.text("credentials", parse_secret_file, service.credentials) ||
            service.repository.whole().empty())
            return;
        const auto scheme = service.repository.scheme();
        if (scheme == RepositoryUrl::Scheme::git || scheme == RepositoryUrl::Scheme::file)
            reader.complain("credentials", "credentials are for a repository of https:// or ssh://");
        else if (service.repository.has_credentials())
            reader.complain("credentials", "credentials and a password in repository exclude each other");
        else if (scheme == RepositoryUrl::Scheme::http)
            warn_of_http(reader);
    }

    static void read_secrets(const TableReader& reader, Service& service) {
        reader.text_pairs(
            "secrets",
            [&service](std::string_view name, std::string_view text) -> Status {
                if (!is_secret_name(name))
                    return refused(
                        fmt::format("must have names of letters, digits, \"_\", \".\" and \"-\", not "
                                    "\"{}\"",
                                    escaped(name)));
                if (service.secrets.size() == max_service_secrets)
                    return refused(fmt::format("must not hold more than {} files", max_service_secrets));
                service.secrets[std::string(name)] =
                    TRY_DOING(parse_secret_file(text), fmt::format("\"{}\"", name));
                return ok();
            },
            "{ NAME = \"/etc/pgod/FILE\" }");
    }

    void warn_of_http(const TableReader& reader) {
        warnings_.add(reader.table().get("repository")->source(),
                      "repository sends its password over http, unprotected: use https");
    }

    void read_ops(const TableReader& reader, Service& service) {
        OperationGroups ops;
        if (reader.texts("ops", [&ops](std::string_view text) -> Status {
                const auto group = TRY(parse_ops(text));
                (group == OpGroup::read ? ops.read : group == OpGroup::deploy ? ops.deploy : ops.exec) = true;
                return ok();
            }))
            service.ops = ops;
    }

    const Config& config_;
    Complaints& errors_;
    Complaints& warnings_;
    std::set<std::string> names_;
    std::set<std::string> dns_names_;
};

void read_services(const toml::table& root, Config& config, Complaints& errors, Complaints& warnings) {
    const auto* node = root.get("services");
    if (node == nullptr)
        return;
    const auto* array = node->as_array();
    if (array == nullptr) {
        errors.add(node->source(),
                   fmt::format("services must be written as [[services]], one for each, not as {}",
                               type_name(*node)));
        return;
    }
    ServicesReader reader(config, errors, warnings);
    for (const auto& entry : *array) {
        if (const auto* table = entry.as_table())
            config.services.push_back(reader.read(*table));
        else
            errors.add(entry.source(),
                       fmt::format("services must hold tables only, not {}", type_name(entry)));
    }
    if (!errors.empty()) // of a file with errors nothing is concluded
        return;
    check_order(*array, config.services, errors);
    check_clashes(*array, config.services, errors);
}

// One path, or two while the key changes.
void read_host_keys(const TableReader& reader, Config& config) {
    const auto* node = reader.table().get("host_key");
    if (node == nullptr || !node->is_array()) {
        reader.text("host_key", parse_absolute_path, config.host_key);
        return;
    }
    std::vector<std::string> paths;
    reader.texts("host_key", [&paths](std::string_view text) -> Status {
        paths.push_back(TRY(parse_absolute_path(text)));
        return ok();
    });
    const bool good = node->as_array()->size() == 2;
    if (!good || (paths.size() == 2 && paths[0] == paths[1]))
        return reader.complain("host_key",
                               "host_key must be one path, or two different ones while the key changes");
    if (paths.size() == 2) {
        config.host_key = std::move(paths[0]);
        config.second_host_key = std::move(paths[1]);
    }
}

} // namespace

ConfigReport parse_config(std::string_view text, std::string_view file_name) {
    ConfigReport report;
    if (text.size() > max_config_bytes) {
        report.errors.push_back(
            fmt::format("{}:1:1: the file is larger than {} bytes", escaped(file_name), max_config_bytes));
        return report;
    }
    Complaints errors;
    Complaints warnings;
    const auto parsed = toml::parse(text);
    if (!parsed) {
        errors.add(parsed.error().source(),
                   fmt::format("not valid TOML: {}", escaped(parsed.error().description())));
        report.errors = std::move(errors).take(file_name);
        return report;
    }
    Config config;
    const TableReader reader(parsed.table(), errors);
    reader.check_keys(file_keys, service_keys, "is a setting of a service: put it under a [[services]] line");
    reader.text("listen", parse_listen, config.listen);
    if (ListenAddress metrics; reader.text("metrics", parse_listen, metrics))
        config.metrics = std::move(metrics);
    reader.text("interval", parse_interval, config.interval);
    reader.integer("parallel", 1, max_parallel, config.parallel);
    reader.boolean("prune", config.prune);
    reader.boolean("linger", config.linger);
    reader.text("state", parse_absolute_path, config.state);
    read_host_keys(reader, config);
    reader.text("control", parse_socket_path, config.control);
    reader.boolean("control_users", config.control_users);
    reader.text("admin_keys", parse_absolute_path, config.admin_keys);
    reader.text("revoked_keys", parse_absolute_path, config.revoked_keys);
    config.proxy = read_proxy(parsed.table(), errors);
    read_services(parsed.table(), config, errors, warnings);
    if (errors.empty())
        report.config = std::move(config);
    report.errors = std::move(errors).take(file_name);
    report.warnings = std::move(warnings).take(file_name);
    return report;
}

} // namespace pgod
