#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace cameleer::minting {

/// Bytes that are wiped before their memory is given back. Of a fixed size, so that growing leaves no copy behind;
/// moves, never copies.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  /// A copy; who hands it in wipes the original.
  explicit SecretBytes(std::string_view text);
  ~SecretBytes() { wipe(); }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept;

  unsigned char* data() { return bytes_.data(); }
  const unsigned char* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  std::span<const unsigned char> bytes() const { return bytes_; }
  std::string_view text() const;
  /// Makes it shorter; what is cut off is wiped.
  void shrink(std::size_t size);
  /// Zeroes and forgets the content.
  void wipe();

 private:
  std::vector<unsigned char> bytes_;
};

}  // namespace cameleer::minting
