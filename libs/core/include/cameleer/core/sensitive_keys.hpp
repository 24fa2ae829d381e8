#pragma once
#include <cameleer/core/execution.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

/// Masking of secrets by the names they go under.
namespace cameleer {

/// What a secret is replaced by.
inline constexpr std::string_view masked_value = "***";

/// Authorization, Cookie, Set-Cookie, X-API-Key, X-Auth-Token, Proxy-Authorization.
std::vector<std::string> default_sensitive_keys();

/// A set of names. ASCII case does not matter; exact names are tried first, then globs (`*` any run of characters, `?`
/// one byte). Immutable, so that threads may share it.
class SensitiveKeys {
 public:
  explicit SensitiveKeys(std::span<const std::string> keys);
  [[nodiscard]] bool matches(std::string_view name) const;
  [[nodiscard]] bool empty() const { return exact_.empty() && globs_.empty(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> exact_;
  std::vector<std::string> globs_;
  std::size_t longest_exact_ = 0;
};

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

  void mask(StringMap& map) const;
  /// Whether anything was replaced.
  bool mask_body(std::string& body);
  void mask(Message& message);
  /// Headers, bodies and attributes of the execution; not of its processors.
  void mask(Execution& execution);
  void mask(ProcessorExecution& processor);

 private:
  struct Parsers;
  std::shared_ptr<const SensitiveKeys> keys_;
  std::unique_ptr<Parsers> parsers_;
};

}  // namespace cameleer
