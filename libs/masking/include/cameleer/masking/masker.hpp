#pragma once
#include <cameleer/core/sensitive_keys.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// Masking of secrets by the names they go under.
namespace cameleer {

/// What a secret is replaced by.
inline constexpr std::string_view masked_value = "***";

/// Masks texts; keeps parsers between them, so one per thread. Never throws on any input, whatever its bytes.
///
/// JSON bodies: the values of members with a sensitive name, at any depth; XML bodies: the content of elements
/// and the values of attributes, by their name with or without its prefix, entities unexpanded. A body that parses as
/// neither stays as it is, and so do all other bytes of one that does.
class Masker {
 public:
  explicit Masker(std::shared_ptr<const SensitiveKeys> keys);
  ~Masker();
  Masker(Masker&&) noexcept;
  Masker& operator=(Masker&&) noexcept;

  /// Whether what goes under this name is masked.
  [[nodiscard]] bool is_secret(std::string_view name) const { return keys_->matches(name); }
  /// The body with its secrets replaced; none when there is nothing to replace.
  std::optional<std::string> masked(std::string_view body);

 private:
  struct Parsers;
  std::shared_ptr<const SensitiveKeys> keys_;
  std::unique_ptr<Parsers> parsers_;
};

}  // namespace cameleer
