"""Check digits, by which a number is told from a number that merely has its length."""

import string
from collections.abc import Sequence


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: payment cards, Swedish and Canadian ids."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def mod97(iban: str) -> bool:
    """ISO 7064 mod 97-10 with letters as 10 to 35: IBAN (ISO 13616)."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(each, 36)) for each in turned)) % 97 == 1


def mod11_10(digits: str) -> bool:
    """ISO 7064 mod 11,10: the German tax id."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def ean13(digits: str) -> bool:
    """GS1 check digit: the Swiss AHV number."""
    return weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


# J. Verhoeff, 1969: the dihedral group D5 and powers of one permutation.
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _product(a: int, b: int) -> int:
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
    return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5


def verhoeff(digits: str) -> bool:
    """The Indian Aadhaar number."""
    check = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(index % 8):
            value = _PERMUTATION[value]
        check = _product(check, value)
    return check == 0


# What a letter or digit counts at an odd place.
_ODD = dict(
    zip(
        string.digits + string.ascii_uppercase,
        (
            1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
            1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
        ),
        strict=True,
    )
)  # fmt: skip


def codice_fiscale(code: str) -> bool:
    """The Italian tax code: values of its own at odd places (decree of 23 December 1976)."""
    total = 0
    for index, each in enumerate(code[:15]):
        total += _ODD[each] if index % 2 == 0 else int(each, 36) - (0 if each.isdigit() else 10)
    return string.ascii_uppercase[total % 26] == code[15]
