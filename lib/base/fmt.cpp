// fmt itself, from its headers: Debian has no archive of it, and libfmt.so would bring libstdc++.so along. For
// pgoctl loading the two costs as much time as everything else that it does before it connects; in pgod-ssh and
// pgod-git they would be ten more mappings to copy at each fork.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

template auto dragonbox::to_decimal(float x) noexcept -> dragonbox::decimal_fp<float>;
template auto dragonbox::to_decimal(double x) noexcept -> dragonbox::decimal_fp<double>;
template locale_ref::locale_ref(const std::locale& loc);
template auto locale_ref::get<std::locale>() const -> std::locale;
template auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template auto decimal_point_impl(locale_ref) -> char;
template void buffer<char>::append(const char*, const char*);
template void vformat_to(buffer<char>&, string_view, format_args, locale_ref);

} // namespace detail
FMT_END_NAMESPACE
