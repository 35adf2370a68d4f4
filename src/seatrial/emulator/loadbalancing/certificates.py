"""Certificates for HTTPS listeners: a local authority, and one certificate for the names of each listener's.

The keys that ACM holds are not handed out by AWS and worthless here. A client that trusts the authority's file
(:attr:`Authority.certificate`) can connect to the balancer by the names of its certificate and by its loopback address.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import threading
from hashlib import sha256
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing.model import Certificate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate as SignedCertificate

_AUTHORITY_DAYS, _LEAF_DAYS = 3650, 397
_RENEW_BEFORE = dt.timedelta(days=30)


class Authority:
    """Issues certificates into ``directory``, where they and the authority's own are kept between starts."""

    def __init__(self, directory: Path, now: dt.datetime) -> None:
        self._directory = directory
        self._now = now
        self._lock = threading.Lock()

    @property
    def certificate(self) -> Path:
        """The PEM file for clients to trust; it exists once the first certificate has been issued."""
        return self._directory / "ca.pem"

    @property
    def _key(self) -> Path:
        return self._directory / "ca.key"

    def issue(self, names: Sequence[str], address: str) -> Certificate:
        """Return a certificate for ``names`` (wildcards allowed) and the balancer's ``address``."""
        stem = sha256("\n".join([address, *names]).encode()).hexdigest()[:16]
        certificate, key = self._directory / f"{stem}.pem", self._directory / f"{stem}.key"
        with self._lock:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (_valid(self.certificate, self._now) and self._key.exists()):
                self._found()
            if not (_valid(certificate, self._now) and key.exists()) or _older(certificate, self.certificate):
                self._sign(names, address, certificate, key)
        return Certificate(tuple(names), str(certificate), str(key))

    def _found(self) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "seatrial emulator authority")])
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - dt.timedelta(days=1))
            .not_valid_after(self._now + dt.timedelta(days=_AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _store(made, key, self.certificate, self._key)

    def _sign(self, names: Sequence[str], address: str, certificate: Path, key_file: Path) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        authority = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        authority_key = serialization.load_pem_private_key(self._key.read_bytes(), None)
        assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        good_for = [*map(x509.DNSName, names), x509.IPAddress(ipaddress.ip_address(address))]
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, (names or [address])[0][:64])])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - dt.timedelta(days=1))
            .not_valid_after(self._now + dt.timedelta(days=_LEAF_DAYS))
            .add_extension(x509.SubjectAlternativeName(good_for), critical=False)
            .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )
        _store(made, key, certificate, key_file)


def _valid(certificate: Path, now: dt.datetime) -> bool:
    from cryptography import x509

    if not certificate.exists():
        return False
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc > now + _RENEW_BEFORE


def _older(certificate: Path, authority: Path) -> bool:
    return certificate.stat().st_mtime_ns < authority.stat().st_mtime_ns


def _store(made: SignedCertificate, key: EllipticCurvePrivateKey, certificate: Path, key_file: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text)
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
