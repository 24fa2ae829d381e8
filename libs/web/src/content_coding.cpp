#include "content_coding.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <memory>

namespace cameleer::web {
namespace {

constexpr int kZstdWindowLog = 23;  // 8 MiB, what RFC 8878, 3.1.1.1.2 asks a decoder to support
constexpr std::size_t kFirstPiece = 16 * 1024;

std::unexpected<Refusal> bad_coding(std::string_view name, std::string_view why) {
  return refuse(ErrorCode::malformed_body, fmt::format("Content-Encoding is {}, but the body {}.", name, why));
}

std::unexpected<Refusal> too_large(std::size_t limit) {
  return refuse(ErrorCode::body_too_large,
                fmt::format("The body is larger than {} bytes once its Content-Encoding is undone.", limit));
}

/// Grows `text` so that the decoder has room: by doubling, never past `limit` + 1 (the byte that proves the excess).
void make_room(std::string& text, std::size_t used, std::size_t limit) {
  const auto size = std::min(std::max(kFirstPiece, used * 2), limit + 1);
  text.reserve(size + kPadding);
  text.resize(size);
}

Checked<std::string> finish(std::string text, std::size_t used, std::size_t limit) {
  if (used > limit) return too_large(limit);
  text.resize(used);
  text.reserve(used + kPadding);
  return text;
}

Checked<std::string> gunzip(std::string_view body, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::string text;
  std::size_t used = 0;
  for (;;) {
    if (used == text.size()) make_room(text, used, limit);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + used);
    stream.avail_out = static_cast<uInt>(text.size() - used);
    const int result = inflate(&stream, Z_NO_FLUSH);
    used = text.size() - stream.avail_out;
    if (used > limit) return too_large(limit);
    if (result == Z_STREAM_END) break;
    if (result == Z_BUF_ERROR || (result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
      return bad_coding("gzip", "ends too early");
    }
    if (result != Z_OK) return bad_coding("gzip", "is not valid gzip");
  }
  if (stream.avail_in > 0) return bad_coding("gzip", "goes on behind the end of the gzip member");
  return finish(std::move(text), used, limit);
}

Checked<std::string> unzstd(std::string_view body, std::size_t limit) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (!context) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLog);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  std::string text;
  std::size_t used = 0;
  for (;;) {
    if (used == text.size()) make_room(text, used, limit);
    ZSTD_outBuffer out{text.data(), text.size(), used};
    const auto result = ZSTD_decompressStream(context.get(), &out, &in);
    used = out.pos;
    if (ZSTD_isError(result)) return bad_coding("zstd", "is not valid zstd");
    if (used > limit) return too_large(limit);
    if (result == 0) break;
    if (in.pos == in.size && out.pos < out.size) return bad_coding("zstd", "ends too early");
  }
  if (in.pos < in.size) return bad_coding("zstd", "goes on behind the end of the zstd frame");
  return finish(std::move(text), used, limit);
}

}  // namespace

Checked<ContentCoding> parse_content_coding(std::string_view value) {
  using boost::beast::iequals;
  if (value.empty() || iequals(value, "identity")) return ContentCoding::identity;
  if (iequals(value, "gzip") || iequals(value, "x-gzip")) return ContentCoding::gzip;
  if (iequals(value, "zstd")) return ContentCoding::zstd;
  return refuse(ErrorCode::unsupported_encoding, "The Content-Encoding is none of gzip, zstd, identity.");
}

Checked<std::string> decode_content(std::string_view body, ContentCoding coding, std::size_t limit) {
  switch (coding) {
    case ContentCoding::gzip:
      return gunzip(body, limit);
    case ContentCoding::zstd:
      return unzstd(body, limit);
    case ContentCoding::identity:
      break;
  }
  return finish(std::string(body), body.size(), limit);
}

}  // namespace cameleer::web
