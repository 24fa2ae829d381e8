#pragma once
#include <boost/json/value.hpp>
#include <cameleer/web/client.hpp>
#include <string>

namespace cameleer::sim {

/// A user of the REST API: signs in for tokens and asks again when they are refused. I/O thread only.
class AdminSession {
 public:
  AdminSession(async::Executor executor, web::Endpoint endpoint, std::string username, std::string password);

  async::Task<Expected<void>> sign_in();
  /// Signs in first when there is no token, and once again after a 401. Whatever else the server answers is the
  /// caller's.
  async::Task<Expected<web::ClientResponse>> send(web::ClientRequest request);
  async::Task<Expected<web::ClientResponse>> get(std::string target);
  async::Task<Expected<web::ClientResponse>> send_json(web::Method method, std::string target, std::string body);
  /// Waits until the server has stored what it has acknowledged: until nothing waits in its journal, by its own
  /// figures.
  async::Task<Expected<void>> stored(std::chrono::seconds within);

 private:
  web::Client client_;
  std::string username_, password_, token_;
};

}  // namespace cameleer::sim
