"""NUBAN: Nigerian account numbers, a nine-digit serial and a check digit. Pure.

Source: Central Bank of Nigeria, "Revised Standards on Nigeria Uniform Bank Account Number
(NUBAN) Scheme for Deposit Money Banks and Other Financial Institutions", March 2020: the
check digit is over bank code (six digits) and serial; weights 3, 7, 3 repeating.
"""

import re
from itertools import cycle
from typing import Final

MAX_SERIAL: Final = 999_999_999

_WEIGHTS: Final = (3, 7, 3)
_BANK_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_SERIAL = re.compile(r"[0-9]{9}", re.ASCII)
_ACCOUNT_NUMBER = re.compile(r"[0-9]{10}", re.ASCII)


def check_digit(bank_code: str, serial_digits: str) -> str:
    """The digit that makes a mistyped account number show. Six and nine digits go in."""
    assert _BANK_CODE.fullmatch(bank_code), "a bank code has six digits"
    assert _SERIAL.fullmatch(serial_digits), "a serial has nine digits"
    digits = map(int, bank_code + serial_digits)
    total = sum(digit * weight for digit, weight in zip(digits, cycle(_WEIGHTS), strict=False))
    return str(-total % 10)


def account_number(serial: int, bank_code: str) -> str:
    """The account number of a serial, which is from 0 to `MAX_SERIAL`."""
    assert 0 <= serial <= MAX_SERIAL, "the bank has no serials left"
    serial_digits = f"{serial:09d}"
    return serial_digits + check_digit(bank_code, serial_digits)


def is_account_number(text: str, bank_code: str) -> bool:
    """Whether this can be an account of the bank: ten digits, the last one right."""
    if not _ACCOUNT_NUMBER.fullmatch(text):
        return False
    return text[-1] == check_digit(bank_code, text[:-1])
