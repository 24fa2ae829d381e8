#include <cameleer/core/error.hpp>
#include <catch2/catch.hpp>
#include <set>

using namespace cameleer;

TEST_CASE("every error code has a name of its own, a client or server status and a meaning") {
  std::set<std::string_view> names;
  for (const auto& info : error_codes()) {
    CAPTURE(info.name);
    CHECK(names.insert(info.name).second);
    CHECK(info.http_status >= 400);
    CHECK(info.http_status < 600);
    CHECK(info.meaning.ends_with('.'));
    CHECK(&info_of(info.code) == &info);
    CHECK(info.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
  }
  CHECK(names.size() == static_cast<std::size_t>(ErrorCode::internal) + 1);
}

TEST_CASE("names and statuses that clients rely on stay") {
  CHECK(name_of(ErrorCode::invalid_member) == "invalid_member");
  CHECK(info_of(ErrorCode::unavailable).http_status == 503);
  CHECK(info_of(ErrorCode::body_too_large).http_status == 413);
  CHECK(info_of(ErrorCode::invalid_token).http_status == 401);
}
