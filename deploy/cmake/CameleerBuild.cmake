# How every target of Cameleer is compiled: one place for flags, precompiled headers and the shape of a library.

option(CAMELEER_TESTS "Build the tests" ON)
option(CAMELEER_FUZZ "Build the libFuzzer targets" OFF)
set(CAMELEER_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them; empty: none")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(
  -pthread -Wall -Wextra -Werror -fno-omit-frame-pointer -fstack-protector-strong
  # Paths relative to the checkout: the output does not tell where it was built.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build
  # Without it ccache never hits a file that uses a precompiled header.
  "SHELL:$<$<COMPILE_LANGUAGE:CXX>:-Xclang -fno-pch-timestamp>")
add_link_options(-fuse-ld=mold)
add_compile_definitions(
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

# A target with the property CAMELEER_UNSANITIZED (the engine process) is compiled and linked without sanitizers.
if(CAMELEER_FUZZ)
  add_compile_options("$<$<NOT:$<BOOL:$<TARGET_PROPERTY:CAMELEER_UNSANITIZED>>>:-fsanitize=fuzzer-no-link>")
endif()
if(CAMELEER_SANITIZE)
  set(sanitized "$<NOT:$<BOOL:$<TARGET_PROPERTY:CAMELEER_UNSANITIZED>>>")
  add_compile_options("$<${sanitized}:-fsanitize=${CAMELEER_SANITIZE}>"
                      "$<${sanitized}:-fno-sanitize-recover=all>")
  add_link_options("$<${sanitized}:-fsanitize=${CAMELEER_SANITIZE}>")
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()

function(cameleer_rooms)
  foreach(room IN LISTS ARGN)
    add_subdirectory(${room})
  endforeach()
endfunction()

# The two precompiled headers: `plain` for code that must not see Asio (core, minting), `asio` for the rest.
function(cameleer_precompile target kind)
  if(NOT TARGET cameleer_pch_${kind})
    file(WRITE ${CMAKE_BINARY_DIR}/pch/${kind}.cpp "// Carries the precompiled header that the other targets reuse.\n")
    add_library(cameleer_pch_${kind} OBJECT ${CMAKE_BINARY_DIR}/pch/${kind}.cpp)
    target_link_libraries(cameleer_pch_${kind} PUBLIC fmt::fmt Threads::Threads Boost::headers)
    target_precompile_headers(cameleer_pch_${kind} PRIVATE ${CMAKE_SOURCE_DIR}/deploy/cmake/pch_${kind}.hpp)
  endif()
  target_precompile_headers(${target} REUSE_FROM cameleer_pch_${kind})
endfunction()

# cameleer_library(<name> [PLAIN] SOURCES … [PUBLIC deps …] [PRIVATE deps …])
# A static library cameleer_<name>, alias cameleer::<name>, with public headers in include/ when that folder exists.
function(cameleer_library name)
  cmake_parse_arguments(ARG "PLAIN" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(target cameleer_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(cameleer::${name} ALIAS ${target})
  if(IS_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include)
    target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>")
  endif()
  target_link_libraries(${target} PUBLIC fmt::fmt ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  if(ARG_PLAIN)
    cameleer_precompile(${target} plain)
  else()
    target_link_libraries(${target} PUBLIC Threads::Threads)
    cameleer_precompile(${target} asio)
  endif()
endfunction()

# cameleer_unit_test(<area> SOURCES … DEPS …): the Catch2 program unit_<area>, run by ./dev test.
function(cameleer_unit_test area)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(unit_${area} ${ARG_SOURCES})
  target_link_libraries(unit_${area} PRIVATE catch_main Catch2::Catch2 ${ARG_DEPS} cameleer::async)
  cameleer_precompile(unit_${area} asio)
  set_target_properties(unit_${area} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unit)
  add_test(NAME unit_${area} COMMAND unit_${area})
endfunction()

# cameleer_fuzz(<name> [ALWAYS] SOURCES … DEPS …): the libFuzzer program fuzz_<name>; its kept corpus is
# tests/fuzz/corpus/<name>. The target `fuzzers` builds all of them. ALWAYS: with AddressSanitizer too, for the tests; DEPS
# then bring what is to be covered compiled with -fsanitize=fuzzer-no-link.
if(CAMELEER_FUZZ)
  add_custom_target(fuzzers)
endif()
function(cameleer_fuzz name)
  cmake_parse_arguments(ARG "ALWAYS" "" "SOURCES;DEPS" ${ARGN})
  if(NOT CAMELEER_FUZZ AND NOT (ARG_ALWAYS AND CAMELEER_SANITIZE MATCHES "address"))
    return()
  endif()
  add_executable(fuzz_${name} ${ARG_SOURCES})
  target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE fmt::fmt ${ARG_DEPS})
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  if(TARGET fuzzers)
    add_dependencies(fuzzers fuzz_${name})
  endif()
endfunction()

# cameleer_embed(<target> <symbol-prefix> <folder> <glob>…): the files as bytes in the binary, and a table of them:
# `std::span<const cameleer::embedded::File> cameleer::embedded::<prefix>()`, names relative to <folder>, sorted.
function(cameleer_embed target prefix folder)
  set(files)
  foreach(pattern IN LISTS ARGN)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/${pattern})
    list(APPEND files ${found})
  endforeach()
  list(SORT files)
  set(assembly "")
  set(declarations "")
  set(rows "")
  set(paths "")
  set(index 0)
  foreach(file IN LISTS files)
    set(symbol embedded_${prefix}_${index})
    string(APPEND assembly ".global ${symbol}\n.global ${symbol}_end\n${symbol}:\n.incbin \"${folder}/${file}\"\n${symbol}_end:\n.byte 0\n")
    string(APPEND declarations "extern \"C\" const char ${symbol}[];\nextern \"C\" const char ${symbol}_end[];\n")
    string(APPEND rows "    {\"${file}\", {${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol})}},\n")
    list(APPEND paths ${folder}/${file})
    math(EXPR index "${index} + 1")
  endforeach()
  set(base ${CMAKE_CURRENT_BINARY_DIR}/embedded_${prefix})
  file(CONFIGURE OUTPUT ${base}.S CONTENT ".section .rodata\n${assembly}.section .note.GNU-stack,\"\",@progbits\n" @ONLY)
  file(CONFIGURE OUTPUT ${base}.cpp CONTENT "#include <cameleer/core/embedded.hpp>

#include <vector>

${declarations}
namespace cameleer::embedded {
std::span<const File> ${prefix}() {
  static const std::vector<File> files{
${rows}  };
  return files;
}
}  // namespace cameleer::embedded
" @ONLY)
  set_source_files_properties(${base}.S PROPERTIES OBJECT_DEPENDS "${paths}")
  target_sources(${target} PRIVATE ${base}.S ${base}.cpp)
endfunction()

# cameleer_feature(<name> SOURCES … PUBLIC … PRIVATE …): a feature of the server, library cameleer_server_<name>; its
# headers are included as "server/<name>/….hpp".
function(cameleer_feature name)
  cameleer_library(server_${name} ${ARGN})
  target_include_directories(cameleer_server_${name} PUBLIC ${CMAKE_SOURCE_DIR}/apps)
endfunction()
