#include "error_status.hpp"

namespace cameleer::engine {

int http_status_of(int code) {
  switch (code) {
    case 194:  // REQUIRED_PASSWORD
      return 401;
    case 192:
    case 193:
    case 497:
    case 512:
    case 516:  // users, passwords, rights
      return 403;
    case 6:
    case 8:
    case 15:
    case 25:
    case 26:
    case 27:
    case 36:
    case 37:
    case 38:
    case 41:
    case 44:
    case 53:
    case 62:
    case 72:
    case 117:
    case 123:
    case 167:
    case 168:
    case 223:
    case 321:
    case 376:
    case 427:
    case 441:
    case 675:
    case 676:  // what a client wrote cannot be parsed or does not fit
      return 400;
    case 30:
    case 46:
    case 47:
    case 50:
    case 56:
    case 60:
    case 63:
    case 73:
    case 78:
    case 81:
    case 115:
    case 152:
    case 336:
    case 511:  // unknown names
      return 404;
    case 159:  // TIMEOUT_EXCEEDED
      return 408;
    case 229:  // QUERY_IS_TOO_LARGE
      return 413;
    case 381:  // HTTP_LENGTH_REQUIRED
      return 411;
    case 779:  // UNSUPPORTED_MEDIA_TYPE
      return 415;
    case 48:  // NOT_IMPLEMENTED
      return 501;
    case 76:
    case 209:
    case 439:  // CANNOT_OPEN_FILE, SOCKET_TIMEOUT, CANNOT_SCHEDULE_TASK
      return 503;
    default:
      return 500;
  }
}

}  // namespace cameleer::engine
