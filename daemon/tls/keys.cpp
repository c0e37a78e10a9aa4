// SPDX-License-Identifier: Apache-2.0
// Keys and certificates by libcrypto (RFC 5280).
#include "daemon/tls/keys.hpp"

#include <arpa/inet.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "daemon/tls/openssl.hpp"
#include "daemon/tls/tls.hpp"

namespace stillboot::tls {
namespace {

constexpr std::time_t one_day = 24 * 60 * 60;
constexpr int serial_bits = 127;  // positive, and unique without a list

Error failed() {
    return Error("daemon.keys_failed", {{"reason", last_error()}});
}

// In a certificate's configuration a comma begins another name; and a client's files go to a directory of its
// name.
bool is_name(const std::string& name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._-:@").find(c) != std::string_view::npos;
    };
    return !name.empty() && name.size() <= max_name_bytes && name.front() != '.' && name.front() != '-' &&
           std::all_of(name.begin(), name.end(), fits);
}

bool is_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> address;
    return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

using Extensions = std::vector<std::pair<int, std::string>>;

struct Wanted {
    std::string name;
    Extensions extensions;
    Lifetime lifetime{};
};

// Whoever signs: for an authority itself.
struct Signer {
    X509* certificate;
    EVP_PKEY* key;
};

bool set_serial(X509* certificate) {
    const BignumPtr number(BN_new());
    return number && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_times(X509* certificate, Lifetime lifetime) {
    std::time_t from = not_before_the_build(0) - one_day;
    std::time_t now = not_before_the_build(std::time(nullptr));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
    return X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &from) != nullptr &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), 0, seconds, &now) != nullptr;
}

bool add_extensions(X509* certificate, X509* issuer, const Extensions& extensions) {
    X509V3_CTX context = {};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    return std::all_of(extensions.begin(), extensions.end(), [&](const auto& each) {
        const ExtensionPtr made(X509V3_EXT_conf_nid(nullptr, &context, each.first, each.second.c_str()));
        return made && X509_add_ext(certificate, made.get(), -1) == 1;
    });
}

CertificatePtr make_certificate(const Wanted& wanted, EVP_PKEY* key, const Signer* authority) {
    CertificatePtr certificate(X509_new());
    if (!certificate) {
        return nullptr;
    }
    const Signer signer = authority != nullptr ? *authority : Signer{certificate.get(), key};
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    const auto* name = reinterpret_cast<const unsigned char*>(wanted.name.data());
    const bool made = X509_set_version(certificate.get(), X509_VERSION_3) == 1 && set_serial(certificate.get()) &&
                      set_times(certificate.get(), wanted.lifetime) &&
                      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name,
                                                 static_cast<int>(wanted.name.size()), -1, 0) == 1 &&
                      X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer.certificate)) == 1 &&
                      X509_set_pubkey(certificate.get(), key) == 1 &&
                      add_extensions(certificate.get(), signer.certificate, wanted.extensions) &&
                      X509_sign(certificate.get(), signer.key, EVP_sha256()) > 0;
    return made ? std::move(certificate) : nullptr;
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

Result<Issued> issue(const Wanted& wanted, const Signer* authority) {
    const KeyPtr key(EVP_EC_gen("P-256"));
    const CertificatePtr certificate = key ? make_certificate(wanted, key.get(), authority) : nullptr;
    const BioPtr certificate_text(BIO_new(BIO_s_mem()));
    const BioPtr key_text(BIO_new(BIO_s_secmem()));
    if (!certificate || !certificate_text || !key_text ||
        PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return failed();
    }
    Issued issued;
    issued.certificate = text_of(certificate_text.get());
    issued.key = text_of(key_text.get());
    return issued;
}

Result<Issued> issue_by(const Issued& authority, Wanted wanted) {
    const BioPtr certificate_text(
        BIO_new_mem_buf(authority.certificate.data(), static_cast<int>(authority.certificate.size())));
    const BioPtr key_text(BIO_new_mem_buf(authority.key.data(), static_cast<int>(authority.key.size())));
    const CertificatePtr certificate(PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr));
    const KeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
    if (!certificate || !key || X509_check_private_key(certificate.get(), key.get()) != 1) {
        return failed();
    }
    wanted.extensions.insert(wanted.extensions.end(), {{NID_basic_constraints, "critical,CA:FALSE"},
                                                       {NID_key_usage, "critical,digitalSignature"},
                                                       {NID_subject_key_identifier, "hash"},
                                                       {NID_authority_key_identifier, "keyid:always"}});
    const Signer signer{certificate.get(), key.get()};
    return issue(wanted, &signer);
}

}  // namespace

std::optional<protocol::Role> role_of_uris(const std::vector<std::string>& uris) {
    std::optional<protocol::Role> role;
    int roles = 0;
    for (const std::string_view uri : uris) {
        if (uri.starts_with(role_prefix)) {
            role = protocol::role_of_word(uri.substr(role_prefix.size()));
            ++roles;
        }
    }
    return roles == 1 ? role : std::nullopt;
}

Result<Issued> make_authority(const std::string& name, Lifetime lifetime) {
    Wanted wanted;
    wanted.name = name.substr(0, max_name_bytes);
    wanted.lifetime = lifetime;
    wanted.extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                         {NID_key_usage, "critical,keyCertSign,cRLSign"},
                         {NID_subject_key_identifier, "hash"}};
    return issue(wanted, nullptr);
}

Result<Issued> make_server(const Issued& authority, const std::vector<std::string>& hosts, Lifetime lifetime) {
    std::string names;
    for (const std::string& host : hosts) {
        if (!is_name(host)) {
            return Error("daemon.keys_bad_name", {{"name", host}});
        }
        names += (names.empty() ? "" : ",") + std::string(is_address(host) ? "IP:" : "DNS:") + host;
    }
    if (names.empty()) {
        return Error("daemon.keys_bad_name", {{"name", ""}});
    }
    Wanted wanted;
    wanted.name = hosts.front();
    wanted.lifetime = lifetime;
    wanted.extensions = {{NID_ext_key_usage, "serverAuth"}, {NID_subject_alt_name, names}};
    return issue_by(authority, std::move(wanted));
}

Result<Issued> make_client(const Issued& authority, const std::string& name, protocol::Role role,
                           Lifetime lifetime) {
    if (!is_name(name)) {
        return Error("daemon.keys_bad_name", {{"name", name}});
    }
    Wanted wanted;
    wanted.name = name;
    wanted.lifetime = lifetime;
    wanted.extensions = {
        {NID_ext_key_usage, "clientAuth"},
        {NID_subject_alt_name, "URI:" + std::string(role_prefix) + std::string(protocol::to_word(role))}};
    return issue_by(authority, std::move(wanted));
}

}  // namespace stillboot::tls
