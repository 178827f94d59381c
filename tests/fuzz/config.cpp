// The configuration file. Either there is a configuration, or it says what is wrong, and not too much of it.
#include "target.hpp"

#include "config/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pgod;
    const auto report = parse_config(fuzz::text_of(data, size), "config.toml");
    fuzz::require(report.config.has_value() == report.errors.empty());
    fuzz::require(report.errors.size() <= max_config_errors + 1);
    for (const auto& error : report.errors) {
        fuzz::require(error.starts_with("config.toml:"));
        for (const char c : error)
            fuzz::require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    }
    return 0;
}
