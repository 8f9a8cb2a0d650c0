#!/usr/bin/env python3
"""The bases of a sequence as digits, for all that counts or compares words of bases."""

# Bases are 0 to 3 in the order ACGT, in either case; NO_BASE is anything else. For bytes.translate.
NO_BASE = 4
DIGITS = bytes(b"ACGT".find(bytes([code]).upper()) % (NO_BASE + 1) for code in range(256))
