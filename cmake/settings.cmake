# What every target of the project is compiled with, and pgod_library(), which makes one static target per
# folder of lib/.
add_library(pgod_settings INTERFACE)
target_include_directories(pgod_settings INTERFACE ${PROJECT_SOURCE_DIR}/lib)
# Relative, so that what is built once runs under every prefix.
file(RELATIVE_PATH PGOD_LIBEXEC_FROM_SBIN ${CMAKE_INSTALL_FULL_SBINDIR} ${CMAKE_INSTALL_FULL_LIBEXECDIR}/pgod)
target_compile_definitions(pgod_settings INTERFACE PGOD_VERSION="${PROJECT_VERSION}"
                           PGOD_LIBEXEC="${PGOD_LIBEXEC_FROM_SBIN}")
target_compile_options(pgod_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       -Wswitch-enum -Wnon-virtual-dtor -fstack-protector-strong)
target_link_options(pgod_settings INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
if(PGOD_WERROR)
  target_compile_options(pgod_settings INTERFACE -Werror)
endif()
if(PGOD_FUZZ) # clang's: what libFuzzer is guided by
  target_compile_options(pgod_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(PGOD_SANITIZE)
  target_compile_options(pgod_settings INTERFACE -fsanitize=${PGOD_SANITIZE} -fno-sanitize-recover=all
                         -fno-omit-frame-pointer)
  target_link_options(pgod_settings INTERFACE -fsanitize=${PGOD_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(pgod_settings INTERFACE _FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS)
endif()

# Half of the time goes into these. A unit includes what it uses all the same: other builds have no such header.
if(PGOD_PRECOMPILE)
  file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cpp "")
  add_library(pgod_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(pgod_precompiled PRIVATE pgod_settings fmt::fmt)
  target_precompile_headers(pgod_precompiled PRIVATE <algorithm> <chrono> <functional> <map> <memory> <optional> <set>
                            <span> <string> <variant> <vector> <fmt/format.h>)
endif()

# pgod_library(NAME SOURCES … USES folder … PRIVATE_USES library …)
function(pgod_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;PRIVATE_USES" ${ARGN})
  add_library(pgod_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(pgod_${name} PUBLIC pgod_settings)
  if(PGOD_PRECOMPILE)
    target_precompile_headers(pgod_${name} REUSE_FROM pgod_precompiled)
  endif()
  foreach(used ${ARG_USES})
    target_link_libraries(pgod_${name} PUBLIC pgod_${used})
  endforeach()
  target_link_libraries(pgod_${name} PRIVATE ${ARG_PRIVATE_USES})
endfunction()
