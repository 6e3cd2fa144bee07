"""Certificates of a made-up authority, for a server that speaks TLS on this machine."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Chain:
    """PEM files: the root that clients trust, the intermediate, the server's own certificate."""

    root: Path
    intermediate: Path
    server: Path

    def context(self) -> ssl.SSLContext:
        """Of a server that sends its own certificate alone, without that of its issuer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        return context


def chain(folder: Path) -> Chain:
    """A root, an intermediate that it issued, and a certificate of 127.0.0.1 by the latter."""
    root_key, between_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _certificate("Root", root_key, "Root", root_key)
    between = _certificate("Intermediate", between_key, "Root", root_key)
    server = _certificate("Server", server_key, "Intermediate", between_key, is_server=True)
    found = Chain(*(folder / f"{name}.pem" for name in ("root", "intermediate", "server")))
    for file, certificate in ((found.root, root), (found.intermediate, between)):
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    found.server.write_bytes(
        server.public_bytes(serialization.Encoding.PEM)
        + server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return found


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_server: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not is_server, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=is_server,
                key_cert_sign=not is_server,
                crl_sign=not is_server,
                **usage,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if is_server:
        names = [x509.IPAddress(ip_address("127.0.0.1"))]
        certificate = certificate.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return certificate.sign(issuer_key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Kido tests, {name}")])
