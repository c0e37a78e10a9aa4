// SPDX-License-Identifier: Apache-2.0
// A program that links what stillbootd links and does nothing: what starting any such program costs.
int main() {}
