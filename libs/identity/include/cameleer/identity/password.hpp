#pragma once
#include <cameleer/core/instant.hpp>
#include <optional>
#include <string>
#include <string_view>

/// Passwords: Argon2id (t = 2, m = 19 MiB, p = 1: OWASP's first choice; 12 ms). Hashing and verifying belong on the
/// WorkerPool; each holds 19 MiB while it runs.
namespace cameleer::identity {

/// The encoded form `$argon2id$v=19$m=19456,t=2,p=1$…`.
std::string hash_password(std::string_view password, const Random& random);

/// False as well for an encoding that is none of ours.
bool verify_password(std::string_view password, const std::string& encoded);

/// A hash that no password has: verified for unknown users, so that they take as long as known ones.
const std::string& nobodys_hash();

/// The rule that a new password breaks, as a sentence; nothing when it may be used. At least 12 characters, at most
/// 1024 bytes, three of four classes (lower, upper, digit, other), without the user name (in any case).
std::optional<std::string> password_problem(std::string_view password, std::string_view username);

/// 24 characters that satisfy the rule above.
std::string random_password(const Random& random);

}  // namespace cameleer::identity
