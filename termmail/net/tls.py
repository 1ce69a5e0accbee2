"""TLS: a context that verifies the server, and what an exception from connecting means to the user."""

from __future__ import annotations

import errno
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.net.net_errors import NetError, Offline, TlsFailed

if TYPE_CHECKING:
    from termmail.net.stream import Server

_EXPIRED, _NOT_YET_VALID, _WRONG_NAME, _WRONG_ADDRESS = 10, 9, 62, 64
_UNKNOWN_ISSUER = {2, 18, 19, 20, 21, 27}
"""OpenSSL's X509_V_ERR numbers, as SSLCertVerificationError.verify_code has them."""


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Return a context for TLS 1.2 or newer that verifies chain, name and dates. Reads files: call it in a thread.

    It trusts the system's authorities (OpenSSL honours SSL_CERT_FILE and SSL_CERT_DIR), or with `ca_file` only the
    certificates in that PEM file. Raises TlsFailed if the file cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=Path(ca_file).expanduser() if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise TlsFailed(
            f"The certificate file {ca_file} cannot be read.", advice="Check the CA file (tls_ca_file)."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def explain(error: BaseException, server: Server) -> NetError:
    """Return the Offline or TlsFailed for an exception from connecting to `server`; a NetError is returned as it is."""
    place = server.place
    if isinstance(error, NetError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error.verify_code, server)
    if isinstance(error, ssl.SSLError):
        return _tls_trouble(error, server)
    if isinstance(error, TimeoutError):
        return Offline(f"{place} did not answer in time.")
    if isinstance(error, socket.gaierror):
        return Offline(f"No server called {server.host} could be found.")
    if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
        # For a host with several addresses asyncio packs the refusals into the text of one OSError.
        return Offline(f"Nothing answers at {place}: the connection was refused.")
    if isinstance(error, ConnectionError):
        return Offline(f"{place} dropped the connection.")
    return Offline(f"{place} could not be reached.")


def _untrusted(code: int, server: Server) -> TlsFailed:
    """Return the error for a certificate. Only that of an unknown issuer can be trusted by naming it as tls_ca_file."""
    if code == _EXPIRED:
        return TlsFailed(f"The certificate of {server.host} has expired.", advice="Ask your provider to renew it.")
    if code == _NOT_YET_VALID:
        return TlsFailed(
            f"The certificate of {server.host} is not valid yet.",
            advice="Check the date and time of this computer; if they are right, ask your provider.",
        )
    if code in {_WRONG_NAME, _WRONG_ADDRESS}:
        return TlsFailed(
            f"The certificate that {server.place} showed belongs to another name.",
            advice="Check the name of the server; if it is right, ask your provider.",
        )
    if code in _UNKNOWN_ISSUER:
        return TlsFailed(
            f"The certificate of {server.host} was issued by someone this computer does not know.",
            advice=f"Check that {server.tls_ca_file} holds the certificate of its issuer."
            if server.tls_ca_file
            else "If the server is your own, name its certificate file as tls_ca_file (CA file); otherwise ask your provider.",
        )
    return TlsFailed(f"The certificate of {server.host} could not be verified.")


def _tls_trouble(error: ssl.SSLError, server: Server) -> NetError:
    reason = getattr(error, "reason", None) or ""  # only errors from OpenSSL have one
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "HTTPS_PROXY_REQUEST"}:
        advice = "Check the port and security: tls, or starttls where TLS begins later."
        return TlsFailed(f"{server.place} does not speak TLS there.", advice=advice)
    if "PROTOCOL_VERSION" in reason or reason in {"UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"}:
        return TlsFailed(f"{server.place} offers no TLS that is still safe (1.2 or newer).")
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return TlsFailed(f"{server.place} dropped the connection while TLS began.")
    return TlsFailed(f"TLS with {server.place} failed.")
