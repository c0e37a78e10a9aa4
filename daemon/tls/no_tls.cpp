// SPDX-License-Identifier: Apache-2.0
// In place of TLS where the build has none.
#include "daemon/tls/keys.hpp"
#include "daemon/tls/tls.hpp"

namespace stillboot::tls {
namespace {

Error none() {
    return Error("daemon.no_tls");
}

}  // namespace

class Context {};

Result<ContextPtr> load(Side, const Files&) {
    return none();
}

boost::asio::awaitable<Result<Accepted>> accept(ContextPtr, boost::asio::ip::tcp::socket,
                                                std::chrono::milliseconds) {
    co_return none();
}

boost::asio::awaitable<Result<std::unique_ptr<Stream>>> connect(ContextPtr, boost::asio::ip::tcp::socket,
                                                                std::string, std::chrono::milliseconds) {
    co_return none();
}

std::string words_of(const boost::system::error_code& failure) {
    return failure.message();
}

std::optional<protocol::Role> role_of_uris(const std::vector<std::string>&) {
    return std::nullopt;
}
Result<Issued> make_authority(const std::string&, Lifetime) {
    return none();
}
Result<Issued> make_server(const Issued&, const std::vector<std::string>&, Lifetime) {
    return none();
}
Result<Issued> make_client(const Issued&, const std::string&, protocol::Role, Lifetime) {
    return none();
}

}  // namespace stillboot::tls
