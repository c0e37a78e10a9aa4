// SPDX-License-Identifier: Apache-2.0
// Boost.JSON, compiled here once.
#include <boost/json/src.hpp>
