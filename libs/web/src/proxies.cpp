#include "proxies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>

namespace cameleer::web {

namespace ip = boost::asio::ip;

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// All values of a header as one list, in order: a sender may repeat the header.
std::vector<std::string_view> list_of(const Request& request, std::string_view name) {
  std::vector<std::string_view> list;
  for (const auto& header : request.headers) {
    if (!boost::beast::iequals(header.name, name)) continue;
    for (std::string_view rest = header.value; !rest.empty();) {
      const auto comma = std::min(rest.find(','), rest.size());
      list.push_back(trimmed(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return list;
}

}  // namespace

ip::address unmapped(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

Expected<TrustedProxies> TrustedProxies::parse(std::span<const std::string> entries) {
  TrustedProxies proxies;
  for (const auto& entry : entries) {
    boost::system::error_code error;
    const auto slash = entry.find('/');
    const auto address = ip::make_address(entry.substr(0, slash), error);
    if (!error && address.is_v4()) {
      const auto network =
          slash == entry.npos ? ip::network_v4(address.to_v4(), 32) : ip::make_network_v4(entry, error);
      if (!error) proxies.v4_.push_back(network.canonical());
    } else if (!error) {
      const auto network =
          slash == entry.npos ? ip::network_v6(address.to_v6(), 128) : ip::make_network_v6(entry, error);
      if (!error) proxies.v6_.push_back(network.canonical());
    }
    if (error) {
      return fail(ErrorCode::bad_configuration,
                  fmt::format("The trusted proxy '{}' is neither an address nor a CIDR network.", entry));
    }
  }
  return proxies;
}

bool TrustedProxies::contains(const ip::address& address) const {
  const auto plain = unmapped(address);
  if (plain.is_v4()) {
    return std::ranges::any_of(v4_, [&](const ip::network_v4& network) {
      return ip::network_v4(plain.to_v4(), network.prefix_length()).canonical() == network;
    });
  }
  return std::ranges::any_of(v6_, [&](const ip::network_v6& network) {
    return ip::network_v6(plain.to_v6(), network.prefix_length()).canonical() == network;
  });
}

void TrustedProxies::apply(Request& request, const ip::address& peer) const {
  if (!contains(peer)) return;
  const auto hops = list_of(request, "X-Forwarded-For");
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    boost::system::error_code error;
    const auto address = ip::make_address(std::string(*hop), error);
    if (error) break;
    request.remote_address = unmapped(address).to_string();
    if (!contains(address)) break;
  }
  const auto schemes = list_of(request, "X-Forwarded-Proto");
  if (!schemes.empty()) request.secure = boost::beast::iequals(schemes.back(), "https");
}

}  // namespace cameleer::web
