#include "body_decoder.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

namespace cameleer::engine {
namespace {

constexpr std::size_t max_output = 1 << 20;

class Plain final : public BodyDecoder {
 public:
  Result<void> decode(std::string_view bytes, std::string& out) override {
    out.append(bytes);
    return {};
  }
  [[nodiscard]] bool more() const override { return false; }
  Result<void> finish() override { return {}; }
};

class Gzip final : public BodyDecoder {
 public:
  Gzip() { inflateInit2(&stream_, 15 + 32); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() override { inflateEnd(&stream_); }

  Result<void> decode(std::string_view bytes, std::string& out) override {
    pending_.append(bytes);
    stream_.next_in = reinterpret_cast<Bytef*>(pending_.data());
    stream_.avail_in = static_cast<uInt>(pending_.size());
    const std::size_t before = out.size();
    more_ = false;
    int status = Z_OK;
    while (status != Z_BUF_ERROR && (stream_.avail_in > 0 || more_)) {
      if (out.size() - before >= max_output) break;
      // gzip members may follow one another.
      if (ended_) {
        inflateReset(&stream_);
        ended_ = false;
      }
      const std::size_t start = out.size();
      out.resize(start + 65536);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + start);
      stream_.avail_out = 65536;
      status = inflate(&stream_, Z_NO_FLUSH);
      out.resize(start + 65536 - stream_.avail_out);
      more_ = stream_.avail_out == 0;
      if (status == Z_STREAM_END) ended_ = true;
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return failure();
    }
    more_ = more_ || (stream_.avail_in > 0 && out.size() - before >= max_output);
    pending_.erase(0, pending_.size() - stream_.avail_in);
    started_ = started_ || !bytes.empty();
    return {};
  }
  [[nodiscard]] bool more() const override { return more_; }
  Result<void> finish() override {
    if (started_ && !ended_) return failure();
    return {};
  }

 private:
  [[nodiscard]] std::unexpected<EngineError> failure() const {
    return std::unexpected(make_error(354, "ZLIB_INFLATE_FAILED",
                                      fmt::format("inflate failed: {}", stream_.msg ? stream_.msg : "data end early")));
  }
  z_stream stream_{};
  std::string pending_;
  bool more_ = false;
  bool ended_ = false;
  bool started_ = false;
};

class Zstd final : public BodyDecoder {
 public:
  Result<void> decode(std::string_view bytes, std::string& out) override {
    pending_.append(bytes);
    ZSTD_inBuffer in{pending_.data(), pending_.size(), 0};
    const std::size_t before = out.size();
    more_ = false;
    while ((in.pos < in.size || more_) && out.size() - before < max_output) {
      const std::size_t start = out.size();
      out.resize(start + 131072);
      ZSTD_outBuffer block{out.data() + start, 131072, 0};
      left_ = ZSTD_decompressStream(stream_.get(), &block, &in);
      out.resize(start + block.pos);
      if (ZSTD_isError(left_) != 0) {
        return std::unexpected(
            make_error(561, "ZSTD_DECODER_FAILED", fmt::format("ZSTD decoder failed: {}", ZSTD_getErrorName(left_))));
      }
      more_ = block.pos == block.size;
    }
    more_ = more_ || in.pos < in.size;
    pending_.erase(0, in.pos);
    return {};
  }
  [[nodiscard]] bool more() const override { return more_; }
  Result<void> finish() override {
    if (left_ == 0) return {};
    return std::unexpected(make_error(561, "ZSTD_DECODER_FAILED", "ZSTD decoder failed: data end early"));
  }

 private:
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream_{ZSTD_createDStream(), ZSTD_freeDStream};
  std::string pending_;
  std::size_t left_ = 0;
  bool more_ = false;
};

}  // namespace

Result<std::unique_ptr<BodyDecoder>> BodyDecoder::for_encoding(std::string_view name) {
  if (name.empty() || name == "identity") return std::make_unique<Plain>();
  if (name == "gzip" || name == "deflate") return std::make_unique<Gzip>();
  if (name == "zstd") return std::make_unique<Zstd>();
  return std::unexpected(make_error(
      48, "NOT_IMPLEMENTED", fmt::format("Unknown compression method '{}': gzip, deflate and zstd are known", name)));
}

}  // namespace cameleer::engine
