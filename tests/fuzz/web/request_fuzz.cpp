#include <algorithm>
#include <cstdlib>

#include "request_reader.hpp"

/// Reads the input as a connection would, once whole and once in pieces of a size that its first byte says. Both must
/// come to the same requests and the same refusal, and what passes must keep the promises of the reader.
namespace {

using namespace cameleer::web;

void require(bool kept) {
  if (!kept) std::abort();
}

void check(const Request& request, bool http_1_0) {
  require(!request.path.empty() && request.path.front() == '/');
  require(request.path.find('\0') == std::string::npos);
  require((request.path + "/").find("/../") == std::string::npos || request.target.find("%2") != std::string::npos);
  require(request.headers.size() <= RequestReader::kMaxHeaders);
  const auto hosts = std::ranges::count_if(request.headers, [](const Header& header) {
    return header.name.size() == 4 && (header.name[0] | 0x20) == 'h' && (header.name[1] | 0x20) == 'o' &&
           (header.name[2] | 0x20) == 's' && (header.name[3] | 0x20) == 't';
  });
  require(hosts == 1 || (http_1_0 && hosts == 0));
  for (const auto& [name, value] : request.headers) {
    for (const char c : name + value) require(c == '\t' || (c >= 0x20 && c < 0x7f));
  }
  require(request.body.size() <= 512);
}

/// All that was understood, in one text.
std::string read(std::string_view bytes, std::size_t piece) {
  std::string trace;
  RequestReader reader(2048);
  std::string kept;
  for (;;) {
    Request request;
    reader.start(request);
    while (reader.state() != RequestReader::State::complete) {
      const auto used = reader.feed(kept);
      if (!used) return trace + "refused";
      require(*used <= kept.size());
      kept.erase(0, *used);
      if (reader.state() == RequestReader::State::body) reader.accept_body(512);
      if (*used > 0) continue;
      if (bytes.empty()) return trace + "more";
      const auto next = bytes.substr(0, piece);
      kept += next;
      bytes.remove_prefix(next.size());
    }
    check(request, reader.http_1_0());
    trace.append(name_of(request.method))
        .append(" ")
        .append(request.path)
        .append("\n")
        .append(request.body)
        .append("\n");
    for (const auto& [name, value] : request.headers) trace.append(name).append(":").append(value).append("\n");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto in_pieces = read(bytes, std::size_t{1} + data[0] % 64);
  const auto whole = read(bytes, std::string_view::npos);
  // An input cut short may end with bytes that the reader still holds back.
  if (in_pieces.ends_with("more") && whole.starts_with(in_pieces.substr(0, in_pieces.size() - 4))) return 0;
  require(whole == in_pieces);
  return 0;
}
