#include "daemon/secret_files.hpp"

#include "config/config.hpp"
#include "os/secret_file.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

namespace pgod::daemon {

namespace {

Result<std::string> packed_variables(const std::string& file) {
    const Secret text = TRY_DOING(os::read_secret_file(file), "env_file");
    std::string packed;
    for (const auto& variable : TRY_DOING(parse_env_file(text.reveal()), fmt::format("env_file: {}", file)))
        packed.append(variable.reveal()).push_back('\0');
    return packed;
}

} // namespace

Result<SecretFiles> open_secret_files(const Service& service) {
    SecretFiles files;
    if (!service.env_file.empty()) {
        const std::string packed = TRY(packed_variables(service.env_file));
        files.env = TRY(os::sealed_file(packed));
    }
    if (!service.registry_auth.empty()) {
        const Secret text = TRY_DOING(os::read_secret_file(service.registry_auth), "registry_auth");
        files.registry_auth = TRY(os::sealed_file(text.reveal()));
    }
    if (!service.secrets.empty()) {
        std::string packed;
        for (const auto& [name, file] : service.secrets) {
            const Secret text = TRY_DOING(os::read_secret_file(file), fmt::format("secrets: {}", name));
            packed.append(name).append(1, '\0').append(std::to_string(text.reveal().size())).append(1, '\0');
            packed.append(text.reveal());
        }
        files.secrets = TRY(os::sealed_file(packed));
    }
    return files;
}

std::vector<std::string> problems_of_secret_files(const Service& service) {
    std::vector<std::string> problems;
    const auto is_looked_for = [](const std::string& file) {
        return file.find('/') != std::string::npos ||
               (!file.empty() && std::getenv("CREDENTIALS_DIRECTORY") != nullptr);
    };
    for (const auto& [setting, file] :
         {std::pair<const char*, const std::string&>{"credentials", service.credentials},
          {"registry_auth", service.registry_auth}})
        if (is_looked_for(file))
            if (const auto read = os::read_secret_file(file); !read)
                problems.push_back(fmt::format("{}: {}", setting, read.error().message));
    for (const auto& [name, file] : service.secrets)
        if (is_looked_for(file))
            if (const auto read = os::read_secret_file(file); !read)
                problems.push_back(fmt::format("secrets: {}: {}", name, read.error().message));
    if (is_looked_for(service.env_file))
        if (const auto packed = packed_variables(service.env_file); !packed)
            problems.push_back(packed.error().message);
    return problems;
}

} // namespace pgod::daemon
