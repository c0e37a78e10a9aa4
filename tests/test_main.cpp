// SPDX-License-Identifier: Apache-2.0
// The main program of every unit test.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
