#pragma once
#include <cameleer/web/server.hpp>

#include "../../temporary_folder.hpp"
#include "scripted_peer.hpp"

namespace live {

/// A fresh self-signed certificate, and what a server with it is started with.
struct Certificate {
  [[nodiscard]] cameleer::web::ServerOptions options() const {
    cameleer::web::ServerOptions options;
    options.tls_certificate_file = files.certificate;
    options.tls_key_file = files.key;
    return options;
  }
  cameleer::test::TemporaryFolder folder;
  scripted::TlsFiles files = scripted::make_certificate(folder.path, "localhost");
};

}  // namespace live
