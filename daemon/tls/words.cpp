// SPDX-License-Identifier: Apache-2.0
// The errors of TLS as a person reads them.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include "daemon/tls/openssl.hpp"
#include "daemon/tls/tls.hpp"

namespace stillboot::tls {
namespace {

// Alerts that the other side sent (RFC 8446, 6.2), and what libssl finds itself.
std::string words_of_ssl(int reason) {
    switch (reason) {
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return "it does not know who signed our certificate";
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: return "it says that our certificate has expired";
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return "it wants a certificate, and got none";
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_TLSV1_ALERT_ACCESS_DENIED: return "it does not accept our certificate";
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "it showed no certificate";
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return "it has no TLS 1.3";
        case SSL_R_HTTP_REQUEST:
        case SSL_R_WRONG_VERSION_NUMBER: return "it does not speak TLS";
        default: return {};
    }
}

}  // namespace

std::string last_error() {
    const unsigned long code = ::ERR_peek_last_error();
    ::ERR_clear_error();
    const char* reason = ::ERR_reason_error_string(code);
    return reason != nullptr ? reason : "no reason was given";
}

std::string words_of(const boost::system::error_code& failure) {
    namespace error = boost::asio::error;
    if (failure == error::eof || failure == error::connection_reset || failure == error::broken_pipe ||
        failure == boost::asio::ssl::error::stream_truncated) {
        return "it closed the connection";
    }
    if (failure.category() == error::get_ssl_category()) {
        const std::string words = words_of_ssl(ERR_GET_REASON(static_cast<unsigned long>(failure.value())));
        return words.empty() ? failure.message() : words;
    }
    return failure.message();
}

}  // namespace stillboot::tls
