"""DuckDB encrypts by its own code in tests, as if OpenSSL were there.

Its random numbers are weaker then, and nothing else differs; the real extension is no package.
"""

from deepcity.store.duckdb import connection, rewrite

_in_memory = connection.in_memory


def without_openssl(path):
    """As `connection.in_memory`."""
    database = _in_memory(path)
    database.execute("set force_mbedtls_unsafe = true")
    return database


def encrypt_without_openssl(put=setattr):
    """Let all files of this process be encrypted so."""
    for module in (connection, rewrite):
        put(module, "in_memory", without_openssl)
