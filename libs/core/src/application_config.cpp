#include <cameleer/core/application_config.hpp>
