// SPDX-License-Identifier: Apache-2.0
// JSON of the protocol's types, both ways, each type described once (daemon/protocol/descriptions.hpp).
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "config/base/result.hpp"
#include "daemon/protocol/methods.hpp"
#include "daemon/protocol/types.hpp"

namespace stillboot::protocol {

/// What to do with a field that the type does not have: refuse it (a misspelt parameter of a call must not be
/// dropped in silence) or ignore it (a newer peer's reply).
enum class UnknownFields { refuse, ignore };

/// The JSON of a value. Texts go through valid_utf8, for JSON has no other way.
/// Instantiated in json.cpp for every type of types.hpp, every Parameters and Reply of methods.hpp, and
/// stillboot's Message, Diagnostic, DeviceRef, Resource, BootOption, ScanResult and DeviceId.
template <class T>
[[nodiscard]] boost::json::value to_json(const T& value);

/// The value of some JSON. Every field must be there but the optional ones (which may also be null); texts hold
/// no NUL. @error daemon.field_missing, daemon.field_invalid, daemon.field_unknown with the dotted path `field`
template <class T>
[[nodiscard]] Result<T> from_json(const boost::json::value& json, UnknownFields unknown = UnknownFields::ignore);

/// Parses one JSON text: at most 24 levels deep, valid UTF-8, nothing after it. @error daemon.not_json
/// Lifetime: `memory`, where one is given, outlives the value.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text, boost::json::storage_ptr memory = {});

}  // namespace stillboot::protocol
