#include "agent-sim/body_coding.hpp"

#include <zlib.h>
#include <zstd.h>

#include <stdexcept>

namespace cameleer::sim {
namespace {

constexpr std::string_view kNames[] = {"identity", "gzip", "zstd"};
constexpr int kGzipWindow = 15 + 16;  // the largest window, with a gzip header

std::string gzip(const std::string& body) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib does not start");
  }
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (!whole) throw std::runtime_error("zlib did not finish within its own bound");
  return out;
}

std::string zstd(const std::string& body) {
  std::string out(ZSTD_compressBound(body.size()), '\0');
  const auto size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), 1);
  if (ZSTD_isError(size)) throw std::runtime_error(ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

}  // namespace

Expected<Coding> coding_of(std::string_view name) {
  for (const auto coding : {Coding::identity, Coding::gzip, Coding::zstd}) {
    if (name == name_of(coding)) return coding;
  }
  return fail(ErrorCode::bad_configuration, "An encoding is identity, gzip or zstd.", "encoding");
}

std::string_view name_of(Coding coding) {
  return kNames[static_cast<std::size_t>(coding)];
}

std::string encode(std::string body, Coding coding) {
  if (coding == Coding::gzip) return gzip(body);
  if (coding == Coding::zstd) return zstd(body);
  return body;
}

}  // namespace cameleer::sim
