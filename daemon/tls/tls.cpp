// SPDX-License-Identifier: Apache-2.0
// Contexts and handshakes.
#include "daemon/tls/tls.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/loop/deadline.hpp"
#include "daemon/tls/keep_alive.hpp"
#include "daemon/tls/keys.hpp"
#include "daemon/tls/openssl.hpp"

namespace stillboot::tls {

namespace asio = boost::asio;
namespace ssl = asio::ssl;

class Context {
public:
    Context() : ssl(ssl::context::tls) {}
    ssl::context ssl;
};

namespace {

using Socket = asio::ip::tcp::socket;
using TlsSocket = ssl::stream<Socket>;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);

Error refused(std::string_view reason) {
    return Error("daemon.tls_refused", {{"reason", reason}});
}

Error timed_out(std::chrono::milliseconds deadline) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(deadline);
    return Error("daemon.tls_timed_out", {{"seconds", std::int64_t{seconds.count()}}});
}

// Sets what no certificate can change: TLS 1.3, both sides known, no session that outlives its connection, so that
// a certificate is looked at each time.
void harden(ssl::context& context) {
    SSL_CTX* raw = context.native_handle();
    SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(raw, 0);
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify_depth(raw, 1);
    boost::system::error_code ignored;
    context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, ignored);
}

// Before each handshake, for the clock goes on.
void set_time(SSL* connection) {
    X509_VERIFY_PARAM_set_time(SSL_get0_param(connection), not_before_the_build(std::time(nullptr)));
}

// A host is an address or a name; the certificate has it as what it is.
bool set_host(SSL* connection, const std::string& host) {
    X509_VERIFY_PARAM* parameters = SSL_get0_param(connection);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1) {
        return true;
    }
    SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
    return X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), 0) == 1;
}

// The reason of a handshake that failed, where the certificate of the other side was it.
std::string words_of_handshake(SSL* connection, const boost::system::error_code& failure) {
    const long verified = SSL_get_verify_result(connection);
    return verified == X509_V_OK ? words_of(failure)
                                 : std::string("its certificate: ") + X509_verify_cert_error_string(verified);
}

std::string common_name(const X509* certificate) {
    X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char* text = nullptr;
    const int size =
        at < 0 ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0) {
        return {};
    }
    std::string name(text, text + size);
    OPENSSL_free(text);
    return name;
}

std::vector<std::string> uris_of(const X509* certificate) {
    const NamesPtr names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::vector<std::string> uris;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_URI) {
            const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
            const unsigned char* text = ASN1_STRING_get0_data(uri);
            uris.emplace_back(text, text + ASN1_STRING_length(uri));
        }
    }
    return uris;
}

asio::awaitable<Result<void>> shake_hands(TlsSocket& stream, ssl::stream_base::handshake_type side,
                                          std::chrono::milliseconds deadline) {
    const Deadline watch(stream.get_executor(), deadline, [&stream] {
        boost::system::error_code ignored;
        stream.lowest_layer().close(ignored);
    });
    auto [failure] = co_await stream.async_handshake(side, use_result);
    if (failure) {
        co_return watch.expired() ? timed_out(deadline)
                                  : refused(words_of_handshake(stream.native_handle(), failure));
    }
    co_return Result<void>();
}

}  // namespace

Result<ContextPtr> load(Side side, const Files& files) {
    auto context = std::make_shared<Context>();
    harden(context->ssl);
    const auto fail = [](const std::string& path, const boost::system::error_code& failure) {
        return Error("daemon.tls_files", {{"path", path}, {"reason", failure.message()}});
    };
    boost::system::error_code failure;
    context->ssl.use_certificate_chain_file(files.certificate, failure);
    if (failure) {
        return fail(files.certificate, failure);
    }
    context->ssl.use_private_key_file(files.key, ssl::context::pem, failure);
    if (failure) {
        return fail(files.key, failure);
    }
    context->ssl.load_verify_file(files.authority, failure);
    if (failure) {
        return fail(files.authority, failure);
    }
    // A certificate made for the other side is none for this one.
    SSL_CTX_set_purpose(context->ssl.native_handle(),
                        side == Side::server ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER);
    return context;
}

asio::awaitable<Result<Accepted>> accept(ContextPtr context, Socket socket, std::chrono::milliseconds deadline) {
    end_with_the_other_side(socket);
    TlsSocket stream(std::move(socket), context->ssl);
    set_time(stream.native_handle());
    auto shaken = co_await shake_hands(stream, ssl::stream_base::server, deadline);
    if (!shaken) {
        co_return shaken.error();
    }
    const X509* certificate = SSL_get0_peer_certificate(stream.native_handle());
    const auto role = certificate != nullptr ? role_of_uris(uris_of(certificate)) : std::nullopt;
    if (!role) {
        co_return refused("its certificate: there is no role in it");
    }
    std::string name = common_name(certificate);
    auto secured = std::make_unique<SocketStream<TlsSocket>>(std::move(stream));
    Accepted accepted(std::move(secured), std::move(name), *role);
    co_return Result<Accepted>(std::move(accepted));
}

asio::awaitable<Result<std::unique_ptr<Stream>>> connect(ContextPtr context, Socket socket, std::string host,
                                                         std::chrono::milliseconds deadline) {
    end_with_the_other_side(socket);
    TlsSocket stream(std::move(socket), context->ssl);
    set_time(stream.native_handle());
    if (!set_host(stream.native_handle(), host)) {
        co_return refused(last_error());
    }
    auto shaken = co_await shake_hands(stream, ssl::stream_base::client, deadline);
    if (!shaken) {
        co_return shaken.error();
    }
    std::unique_ptr<Stream> secured = std::make_unique<SocketStream<TlsSocket>>(std::move(stream));
    co_return Result<std::unique_ptr<Stream>>(std::move(secured));
}

}  // namespace stillboot::tls
