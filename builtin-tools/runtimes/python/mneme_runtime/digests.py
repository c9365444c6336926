"""`hashlib.pbkdf2_hmac`, which only OpenSSL brings."""

import hashlib


def install():
    """Adds it where it is missing."""
    if not hasattr(hashlib, "pbkdf2_hmac"):
        hashlib.pbkdf2_hmac = pbkdf2_hmac


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """A key of `dklen` bytes from a password (PKCS #5, version 2)."""
    made = hashlib.new(hash_name)
    if iterations < 1:
        raise ValueError("iterations must be at least 1")
    dklen = made.digest_size if dklen is None else dklen
    if dklen < 1:
        raise ValueError("dklen must be at least 1")
    password, salt = bytes(password), bytes(salt)
    if len(password) > made.block_size:
        password = hashlib.new(hash_name, password).digest()
    password = password.ljust(made.block_size, b"\0")
    inner = hashlib.new(hash_name, bytes(byte ^ 0x36 for byte in password))
    outer = hashlib.new(hash_name, bytes(byte ^ 0x5C for byte in password))

    def keyed(message):
        inside, outside = inner.copy(), outer.copy()
        inside.update(message)
        outside.update(inside.digest())
        return outside.digest()

    key, block = b"", 0
    while len(key) < dklen:
        block += 1
        last = keyed(salt + block.to_bytes(4, "big"))
        mixed = int.from_bytes(last, "big")
        for _ in range(iterations - 1):
            last = keyed(last)
            mixed ^= int.from_bytes(last, "big")
        key += mixed.to_bytes(made.digest_size, "big")
    return key[:dklen]
