"""What needs sockets says that there are none. `ssl` is here for those who only name it: the host encrypts, and checks certificates."""

import enum
import errno
import socket
import sys
import types

_NONE = "there are no sockets in the sandbox, only requests over HTTP"


def _refuse_name(*_, **__):
    # Looking a name up would end the instance; as an error of Python's a program can catch it.
    raise socket.gaierror(socket.EAI_FAIL, _NONE)


def _refuse(*_, **__):
    raise PermissionError(errno.EACCES, _NONE)


class SSLError(OSError):
    """As in `ssl`."""


class SSLCertVerificationError(SSLError, ValueError):
    """As in `ssl`."""


class VerifyMode(enum.IntEnum):
    """As in `ssl`."""

    CERT_NONE = 0
    CERT_OPTIONAL = 1
    CERT_REQUIRED = 2


class TLSVersion(enum.IntEnum):
    """As in `ssl`."""

    MINIMUM_SUPPORTED = -2
    TLSv1 = 769
    TLSv1_1 = 770
    TLSv1_2 = 771
    TLSv1_3 = 772
    MAXIMUM_SUPPORTED = -1


class Purpose(enum.Enum):
    """As in `ssl`."""

    SERVER_AUTH = 1
    CLIENT_AUTH = 2


class SSLContext:
    """Settings that nobody reads."""

    def __init__(self, protocol=None):
        self.protocol = protocol
        self.check_hostname = True
        self.verify_mode = VerifyMode.CERT_REQUIRED
        self.minimum_version, self.maximum_version = TLSVersion.TLSv1_2, TLSVersion.MAXIMUM_SUPPORTED
        self.options = self.verify_flags = 0

    def _accept(self, *_, **__):
        """Accepted and not needed."""

    load_cert_chain = load_default_certs = load_verify_locations = set_alpn_protocols = set_ciphers = _accept
    wrap_bio = wrap_socket = staticmethod(_refuse)


def _context(*_, **__):
    return SSLContext()


def _unverified(*_, **__):
    context = SSLContext()
    context.check_hostname, context.verify_mode = False, VerifyMode.CERT_NONE
    return context


def _ssl():
    """The module."""
    made = types.ModuleType("ssl")
    made.__dict__.update(VerifyMode.__members__)
    made.__dict__.update(
        CertificateError=SSLCertVerificationError, HAS_ALPN=True, HAS_SNI=True, HAS_TLSv1_3=True, OPENSSL_VERSION="none",
        OPENSSL_VERSION_INFO=(0, 0, 0, 0, 0), PROTOCOL_TLS=2, PROTOCOL_TLS_CLIENT=16, PROTOCOL_TLS_SERVER=17, Purpose=Purpose,
        SSLCertVerificationError=SSLCertVerificationError, SSLContext=SSLContext, SSLError=SSLError, SSLObject=object,
        SSLSocket=socket.socket, SSLZeroReturnError=SSLError, TLSVersion=TLSVersion, VerifyMode=VerifyMode,
        _create_default_https_context=_context, _create_unverified_context=_unverified, create_default_context=_context,
        get_server_certificate=_refuse,
    )
    made.__getattr__ = _flag
    return made


def _flag(name):
    """`OP_ALL` and the like."""
    if name.startswith(("OP_", "PROTOCOL_", "VERIFY_")):
        return 0
    raise AttributeError(f"module 'ssl' has no attribute {name!r}")


def install():
    """Puts these where programs look for them."""
    import ftplib
    import imaplib
    import poplib
    import smtplib

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo"):
        setattr(socket, name, _refuse_name)
    socket.socket.__init__ = socket.socketpair = _refuse
    # Only now: what was imported before does without it.
    sys.modules["ssl"] = _ssl()
    smtplib.SMTP_SSL = imaplib.IMAP4_SSL = poplib.POP3_SSL = ftplib.FTP_TLS = _refuse_name
