#pragma once
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cameleer/web/message.hpp>
#include <span>

namespace cameleer::web {

/// The proxies whose X-Forwarded-For and X-Forwarded-Proto count.
class TrustedProxies {
 public:
  /// Addresses or CIDR networks; the error names the one that is neither.
  static Expected<TrustedProxies> parse(std::span<const std::string> entries);

  [[nodiscard]] bool contains(const boost::asio::ip::address& address) const;

  /// Corrects `remote_address` and `secure` of a request that came from `peer`. In X-Forwarded-For the last address
  /// that is no trusted proxy is the client: what stands before it is only a claim.
  void apply(Request& request, const boost::asio::ip::address& peer) const;

 private:
  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

/// An IPv4 address that came through an IPv6 socket, as IPv4.
boost::asio::ip::address unmapped(const boost::asio::ip::address& address);

}  // namespace cameleer::web
