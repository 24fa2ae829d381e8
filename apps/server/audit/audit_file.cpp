#include "server/audit/audit_file.hpp"

#include <fmt/format.h>
#include <simdjson.h>

namespace cameleer::server {
namespace {

namespace ondemand = simdjson::ondemand;
constexpr std::size_t kMaxLine = 1u << 20;

/// Members in the order in which they are written; anything else is no export of ours. The first failure stays.
class Members {
 public:
  explicit Members(ondemand::object object) : object_(object) {}

  std::int64_t number(std::string_view name) {
    std::int64_t value = 0;
    note(object_.find_field(name).get(value));
    return value;
  }
  std::string text(std::string_view name) {
    std::string_view value;
    note(object_.find_field(name).get(value));
    return failed_ ? std::string() : std::string(value);
  }
  std::optional<std::int64_t> optional_number(std::string_view name) {
    ondemand::value value;
    note(object_.find_field(name).get(value));
    if (failed_ || is_null(value)) return std::nullopt;
    std::int64_t number = 0;
    note(value.get(number));
    return number;
  }
  std::optional<std::string> optional_text(std::string_view name) {
    ondemand::value value;
    note(object_.find_field(name).get(value));
    if (failed_ || is_null(value)) return std::nullopt;
    std::string_view text;
    note(value.get(text));
    return failed_ ? std::nullopt : std::optional<std::string>(text);
  }
  std::optional<ondemand::object> optional_object(std::string_view name) {
    ondemand::value value;
    note(object_.find_field(name).get(value));
    if (failed_ || is_null(value)) return std::nullopt;
    ondemand::object object;
    note(value.get(object));
    return failed_ ? std::nullopt : std::optional(object);
  }
  /// An object as it stands in the text.
  std::string raw_object(std::string_view name) {
    ondemand::object object;
    note(object_.find_field(name).get(object));
    std::string_view raw;
    if (!failed_) note(object.raw_json().get(raw));
    return failed_ ? std::string() : std::string(raw);
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void note(simdjson::error_code error) { failed_ = failed_ || error != simdjson::SUCCESS; }
  bool is_null(ondemand::value& value) {
    bool null = false;
    note(value.is_null().get(null));
    return null || failed_;
  }
  ondemand::object object_;
  bool failed_ = false;
};

}  // namespace

/// What a line holds: a row, or the end.
struct AuditFile::Line {
  std::optional<std::int64_t> position;
  AuditRow row;
  std::optional<std::string> previous_hash, hash;
  bool is_end = false;
  std::int64_t rows = 0, unsealed = 0;
  std::optional<AuditHead> head;

  static std::optional<Line> read(std::string_view text);

 private:
  bool read_row(Members& members);
  bool read_end(Members& members);
};

bool AuditFile::Line::read_row(Members& members) {
  position = members.optional_number("position");
  row.id = std::to_string(members.number("id"));
  row.timestamp = members.text("timestamp");
  row.username = members.text("username");
  row.user_id = members.optional_text("userId");
  row.action = members.text("action");
  row.category = members.text("category");
  row.target = members.text("target");
  row.result = members.text("result");
  row.detail = members.raw_object("detail");
  row.remote_address = members.optional_text("remoteAddress");
  row.request_id = members.optional_text("requestId");
  auto previous = members.optional_text("previousHash");
  auto own = members.optional_text("hash");
  if (members.failed() || position.has_value() != own.has_value() || position.has_value() != previous.has_value()) {
    return false;
  }
  if (!position) return true;
  previous_hash = hash_in(*previous);
  hash = hash_in(*own);
  return *position > 0 && previous_hash && hash;
}

bool AuditFile::Line::read_end(Members& members) {
  is_end = true;
  rows = members.number("rows");
  unsealed = members.number("unsealed");
  auto object = members.optional_object("head");
  if (members.failed() || !object) return !members.failed();
  Members parts(*object);
  AuditHead found;
  found.position = parts.number("position");
  const auto hash_text = hash_in(parts.text("hash"));
  const auto signed_at = parse_instant(parts.text("signedAt"));
  found.key_id = parts.text("keyId");
  found.signature = parts.text("signature");
  if (parts.failed() || !hash_text || !signed_at) return false;
  found.hash = *hash_text;
  found.signed_at = *signed_at;
  head = std::move(found);
  return true;
}

std::optional<AuditFile::Line> AuditFile::Line::read(std::string_view text) {
  ondemand::parser parser;
  const simdjson::padded_string padded(text);
  ondemand::document document;
  ondemand::object object, end;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  Line line;
  if (text.starts_with(R"({"end":)")) {
    if (object.find_field("end").get(end) != simdjson::SUCCESS) return std::nullopt;
    Members members(end);
    if (!line.read_end(members)) return std::nullopt;
  } else {
    Members members(object);
    if (!line.read_row(members)) return std::nullopt;
  }
  return line;
}

std::unexpected<Error> AuditFile::refuse(std::string_view what) const {
  return fail(ErrorCode::invalid_parameter, fmt::format("Line {}: {}.", lines_, what));
}

Expected<void> AuditFile::line(std::string_view text) {
  ++lines_;
  if (ended_) return refuse("there is something after the end");
  auto read = Line::read(text);
  if (!read) return refuse("this is no line of an export");
  return read->is_end ? take_end(*read) : take_row(*read);
}

Expected<void> AuditFile::take_row(Line& line) {
  ++rows_;
  if (!line.position) {
    ++unsealed_;
    return {};
  }
  if (unsealed_ > 0) return refuse("a sealed row follows one that is not sealed");
  const auto position = *line.position;
  if (last_ == 0) {
    first_ = position;
    if (position > 1) hash_ = *line.previous_hash;
  } else if (position > last_ + 1) {
    return refuse(position == last_ + 2 ? fmt::format("position {} is missing", last_ + 1)
                                        : fmt::format("positions {} to {} are missing", last_ + 1, position - 1));
  } else if (position != last_ + 1) {
    return refuse(fmt::format("position {} follows position {}", position, last_));
  }
  if (*line.previous_hash != hash_) return refuse("its previous hash is not the one of the row before");
  hash_ = audit_hash(hash_, position, line.row);
  if (hash_ != *line.hash) return refuse(fmt::format("the row at position {} was changed", position));
  last_ = position;
  return {};
}

Expected<void> AuditFile::take_end(Line& line) {
  ended_ = true;
  if (line.rows != rows_ || line.unsealed != unsealed_) {
    return refuse(fmt::format("the file had {} rows, {} of them unsealed; now it has {} and {}", line.rows,
                              line.unsealed, rows_, unsealed_));
  }
  if (line.head.has_value() != (last_ > 0)) return refuse("the signed end does not fit the rows");
  if (!line.head) return {};
  if (line.head->position != last_ || line.head->hash != hash_) return refuse("the signed end is that of other rows");
  if (!public_key_.empty() && !is_signed(*line.head, public_key_)) {
    return refuse("the end was not signed by this key");
  }
  head_ = std::move(line.head);
  return {};
}

Expected<std::string> AuditFile::finish() {
  if (lines_ == 0) return fail(ErrorCode::invalid_parameter, "The file is empty.");
  if (!ended_) return refuse("the file is cut short: its last line, the signed end, is missing");
  if (last_ == 0) return fmt::format("No sealed row; {} not sealed yet.", unsealed_);
  return fmt::format(
      "{} rows, positions {} to {}, are unbroken; {}; {} more are not sealed yet.", last_ - first_ + 1, first_, last_,
      public_key_.empty() ? "the signature was not checked: name the server's public key"
                          : fmt::format("the end was signed by this key at {}", format_instant(head_->signed_at)),
      unsealed_);
}

Expected<std::string> verify_audit_file(std::istream& file, std::string public_key) {
  AuditFile verification(std::move(public_key));
  std::string buffer(64 * 1024, '\0'), rest;
  std::int64_t lines = 0;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    rest.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    std::size_t from = 0;
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', from)) {
      ++lines;
      if (auto taken = verification.line(std::string_view(rest).substr(from, end - from)); !taken) {
        return std::unexpected(taken.error());
      }
      from = end + 1;
    }
    rest.erase(0, from);
    if (rest.size() > kMaxLine) {
      return fail(ErrorCode::invalid_parameter, fmt::format("Line {}: longer than a line may be.", lines + 1));
    }
  }
  if (file.bad()) return fail(ErrorCode::invalid_parameter, "The file cannot be read.");
  if (!rest.empty()) return fail(ErrorCode::invalid_parameter, fmt::format("Line {}: cut short.", lines + 1));
  return verification.finish();
}

}  // namespace cameleer::server
