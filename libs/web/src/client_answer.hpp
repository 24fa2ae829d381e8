#pragma once
#include <cameleer/web/client.hpp>
#include <memory>
#include <string>

namespace cameleer::web::client {

/// Reads one answer from the bytes of a connection. Bounded: the header section by 64 KiB; the body is handed on piece
/// by piece, so that the caller bounds it.
class AnswerReader {
 public:
  explicit AnswerReader(bool to_head_request);
  ~AnswerReader();
  AnswerReader(AnswerReader&&) noexcept;
  AnswerReader& operator=(AnswerReader&&) noexcept;

  enum class State : std::uint8_t { header, body, done, broken };
  [[nodiscard]] State state() const;
  /// Nothing of an answer has come yet.
  [[nodiscard]] bool untouched() const;

  struct Room {
    char* data;
    std::size_t size;
  };
  /// Where the next bytes of the connection go; then `received`.
  Room room();
  void received(std::size_t bytes);
  /// The connection ended: the end of the answer, or a broken one.
  void ended();

  [[nodiscard]] const ClientResponse& head() const;
  /// Body bytes that have come since the last call.
  std::string take_body();
  [[nodiscard]] std::size_t pending_body() const;
  /// After `done`: whether the connection may carry another request.
  [[nodiscard]] bool reusable() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cameleer::web::client
