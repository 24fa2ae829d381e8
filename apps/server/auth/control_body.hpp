#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/web/message.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer::server {

/// The JSON object that a control route receives, read member by member. The first broken rule is kept and named by
/// `failure()`; later reads give empty values, so that a handler reads all it wants and asks once:
///
///     ControlBody body(request);
///     auto name = body.text("username", 1, 256);
///     if (auto failure = body.failure()) return web::problem(*failure, request.request_id);
///
/// Lengths are bytes of UTF-8. NUL is refused everywhere (PostgreSQL holds none). Depth at most 64. A member that is
/// there twice is refused; an unknown one is ignored.
class ControlBody {
 public:
  enum class Empty : std::uint8_t { refused, allowed };
  /// `allowed`: no body at all counts as `{}`.
  explicit ControlBody(const web::Request& request, Empty empty = Empty::refused);
  ~ControlBody();
  ControlBody(const ControlBody&) = delete;
  ControlBody& operator=(const ControlBody&) = delete;

  std::string text(std::string_view member, std::size_t shortest, std::size_t longest);
  std::optional<std::string> optional_text(std::string_view member, std::size_t shortest, std::size_t longest);
  std::optional<bool> optional_boolean(std::string_view member);
  std::optional<std::int64_t> optional_integer(std::string_view member, std::int64_t least, std::int64_t most);
  std::vector<std::string> texts(std::string_view member, std::size_t most, std::size_t longest);
  /// An object of strings.
  std::optional<std::map<std::string, std::string>> text_map(std::string_view member, std::size_t most,
                                                             std::size_t longest);
  /// An object, as compact JSON text.
  std::optional<std::string> object(std::string_view member, std::size_t longest);

  [[nodiscard]] bool has(std::string_view member) const;

  /// Adds a failure of the handler's own rules.
  void refuse(std::string_view member, std::string rule);
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

 private:
  struct Document;
  std::unique_ptr<Document> document_;
  std::optional<Error> failure_;
};

}  // namespace cameleer::server
