// SPDX-License-Identifier: Apache-2.0
#include "daemon/tls/keys.hpp"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "daemon/tls/build_time.hpp"
#include "daemon/tls/tls.hpp"

using namespace stillboot;
using namespace stillboot::tls;
using protocol::Role;
using std::chrono::hours;

namespace {

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

X509Ptr parsed(const std::string& pem) {
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    X509Ptr certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free);
    BIO_free(bio);
    REQUIRE(certificate);
    return certificate;
}

}  // namespace

TEST_SUITE("tls") {
    TEST_CASE("a clock behind the build is taken to be at the build, any other as it is") {
        CHECK(not_before_the_build(0) == build_time);
        CHECK(not_before_the_build(build_time - 1) == build_time);
        CHECK(not_before_the_build(build_time + 1) == build_time + 1);
    }

    TEST_CASE("what is made counts from the build on, so that a machine without a battery accepts it") {
        const auto authority = make_authority("Stillboot of here", hours(24));
        REQUIRE(authority);
        const auto client = make_client(*authority, "anna@there", Role::boot, hours(24));
        REQUIRE(client);
        const auto certificate = parsed(client->certificate);
        std::time_t at_build = build_time;
        CHECK(X509_cmp_time(X509_get0_notBefore(certificate.get()), &at_build) < 0);
        std::time_t soon = not_before_the_build(std::time(nullptr)) + 23 * 60 * 60;
        std::time_t later = soon + 2 * 60 * 60;
        CHECK(X509_cmp_time(X509_get0_notAfter(certificate.get()), &soon) > 0);
        CHECK(X509_cmp_time(X509_get0_notAfter(certificate.get()), &later) < 0);
        CHECK(X509_check_ca(certificate.get()) == 0);
        CHECK(X509_check_ca(parsed(authority->certificate).get()) == 1);
        CHECK(client->key.find("BEGIN PRIVATE KEY") != std::string::npos);
        CHECK(client->key != make_client(*authority, "anna@there", Role::boot, hours(24))->key);
    }

    TEST_CASE("a machine's certificate has each of its names and addresses as what it is") {
        const auto authority = make_authority("a", hours(24));
        const auto server = make_server(*authority, {"host.example", "192.0.2.1", "2001:db8::1"}, hours(24));
        REQUIRE(server);
        const auto certificate = parsed(server->certificate);
        CHECK(X509_check_host(certificate.get(), "host.example", 0, 0, nullptr) == 1);
        CHECK(X509_check_host(certificate.get(), "other.example", 0, 0, nullptr) == 0);
        CHECK(X509_check_ip_asc(certificate.get(), "192.0.2.1", 0) == 1);
        CHECK(X509_check_ip_asc(certificate.get(), "2001:db8::1", 0) == 1);
        CHECK(X509_check_ip_asc(certificate.get(), "192.0.2.2", 0) == 0);
    }

    TEST_CASE("a certificate has one role, or none that counts") {
        CHECK(role_of_uris({"stillboot:role:look"}) == Role::look);
        CHECK(role_of_uris({"https://example", "stillboot:role:all"}) == Role::all);
        CHECK_FALSE(role_of_uris({}));
        CHECK_FALSE(role_of_uris({"https://example"}));
        CHECK_FALSE(role_of_uris({"stillboot:role:"}));
        CHECK_FALSE(role_of_uris({"stillboot:role:root"}));
        CHECK_FALSE(role_of_uris({"stillboot:role:boot", "stillboot:role:all"}));
        CHECK_FALSE(role_of_uris({"stillboot:role:boot", "stillboot:role:root"}));
    }

    TEST_CASE("names that would be more than a name are refused, and so is an authority that is none") {
        const auto authority = make_authority("a", hours(24));
        for (const std::string& name :
             {std::string(), std::string("a,URI:stillboot:role:all"), std::string("a b"), std::string("a\n"),
              std::string(".."), std::string("-x"), std::string("a/b"), std::string(65, 'a')}) {
            CAPTURE(name);
            CHECK(make_client(*authority, name, Role::boot, hours(24)).error().code() == "daemon.keys_bad_name");
            CHECK(make_server(*authority, {name}, hours(24)).error().code() == "daemon.keys_bad_name");
        }
        CHECK(make_server(*authority, {}, hours(24)).error().code() == "daemon.keys_bad_name");
        Issued mixed = *authority;
        mixed.key = make_authority("b", hours(24))->key;
        CHECK(make_client(mixed, "a", Role::boot, hours(24)).error().code() == "daemon.keys_failed");
        CHECK(make_client(Issued(), "a", Role::boot, hours(24)).error().code() == "daemon.keys_failed");
    }
}
