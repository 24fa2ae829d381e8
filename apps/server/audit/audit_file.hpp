#pragma once
#include <cameleer/core/error.hpp>
#include <istream>

#include "server/audit/audit_seal.hpp"

namespace cameleer::server {

/// Verifies an NDJSON export without a server, line by line, in the memory of one line.
///
/// The rows must follow each other without a gap, so exports by user, category or text are refused where one is
/// missing. A file that does not begin with position 1 is believed its beginning.
class AuditFile {
 public:
  /// `public_key`: of the server that exported; empty: the signature is not looked at.
  explicit AuditFile(std::string public_key) : public_key_(std::move(public_key)) {}

  /// The next line, without its end. The error says what is wrong and in which line.
  Expected<void> line(std::string_view text);
  /// After the last line: what was found, in one sentence.
  Expected<std::string> finish();

 private:
  struct Line;
  Expected<void> take_row(Line& line);
  Expected<void> take_end(Line& line);
  [[nodiscard]] std::unexpected<Error> refuse(std::string_view what) const;

  std::string public_key_;
  std::string hash_ = audit_chain_start();
  std::int64_t lines_ = 0, rows_ = 0, unsealed_ = 0, first_ = 0, last_ = 0;
  std::optional<AuditHead> head_;
  bool ended_ = false;
};

/// The whole of it.
Expected<std::string> verify_audit_file(std::istream& file, std::string public_key);

}  // namespace cameleer::server
