"""Keys, tokens and passwords: issuers' prefixes, private key blocks, values assigned to a secret's name."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from sluice.curate.privacy.kind import Kind, Regions, Span, exactly


class SecretPattern(NamedTuple):
    """One form of secret and where it is written down."""

    name: str
    pattern: str
    source: str


PREFIXED: tuple[SecretPattern, ...] = (
    SecretPattern("aws", r"(?:AKIA|ASIA)[A-Z0-9]{16}", "AWS IAM user guide: unique identifiers"),
    SecretPattern(
        "github",
        r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}",
        "GitHub docs: authentication token formats",
    ),
    SecretPattern("gitlab", r"glpat-[A-Za-z0-9_-]{20,255}", "GitLab docs: token prefixes"),
    SecretPattern("slack", r"xox[abeprs]-[A-Za-z0-9-]{10,255}", "Slack API docs: token types"),
    SecretPattern("stripe", r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}", "Stripe docs: API keys"),
    SecretPattern(
        "openai",
        r"sk-(?:proj-|ant-|svcacct-)?(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{24,255}",
        "OpenAI and Anthropic API references; detect-secrets",
    ),
    SecretPattern("google", r"AIza[A-Za-z0-9_-]{35}", "Google Cloud docs: API keys; gitleaks"),
    SecretPattern("huggingface", r"hf_[A-Za-z0-9]{30,255}", "Hugging Face docs: user access tokens"),
    SecretPattern("npm", r"npm_[A-Za-z0-9]{36}", "npm docs: access tokens"),
    SecretPattern("sendgrid", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", "SendGrid docs: API keys"),
    SecretPattern(
        "jwt",
        r"eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}",
        "RFC 7519: header and claims are objects in base64url",
    ),
)
_KEYS = re.compile(
    rf"(?<![A-Za-z0-9_-])(?:{'|'.join(p.pattern for p in PREFIXED)})(?![A-Za-z0-9_])",
)
_BLOCK = re.compile(
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY-----"
    r"(?:[A-Za-z0-9+/=\s\\:,-]{0,16384}?-----END (?:[A-Z]+ ){0,3}PRIVATE KEY-----"
    r"|(?:\s{0,2}[A-Za-z0-9+/]{24,128}={0,2}(?=\s|$)){0,256})"
)
"""RFC 7468: the block to its end, or what of it is there."""
_NAMED = re.compile(
    r"(?:(?<![A-Za-z0-9])(?:password|passwort|passwd|pwd|passphrase|contraseña|kennwort|wachtwoord|hasło|senha)\b|"
    r"\bmot de passe\b|\bapi[ _-]?key\b|\b(?:secret|access)[ _-](?:key|token)\b)"
    r"\s*(?:is|was|ist|lautet|est|es|:|=)\s*[\"'`]?(?=\S{0,60}[0-9])(?=\S{0,60}[A-Za-z])([^\s\"'`,;]{8,128})",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    r"(?<![A-Za-z0-9])[\w.-]{0,40}(?:secret|token|passw(?:or)?d|api_?key|auth|credential|private_?key)[\w.-]{0,40}"
    r"[\"']?\s*(?::=|=>|[:=])\s*[\"'`]?([A-Za-z0-9+/=_.~-]{16,512})(?![A-Za-z0-9+/=_])",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,16}://[^\s/:@]{1,64}:([^\s/:@]{3,128})@", re.IGNORECASE)
LEAST_ENTROPY = {"hex": 3.0, "other": 3.7}
"""Bits a character from which a value is random and no word (detect-secrets takes 3.0 for hex and 4.5 for long base64;
a key of 24 characters cannot reach 4.6, so that a lower bound goes with the name it is assigned to)."""


def entropy(text: str) -> float:
    """Return Shannon's entropy of the characters, in bits a character."""
    n = len(text)
    return -sum(c / n * math.log2(c / n) for c in Counter(text).values())


def _is_random(value: str) -> bool:
    if not re.search(r"[0-9]", value) or not re.search(r"[A-Za-z]", value):
        return False
    of_hex = re.fullmatch(r"[0-9A-Fa-f]+", value) is not None
    return entropy(value) >= LEAST_ENTROPY["hex" if of_hex else "other"]


def _secrets(text: str, _regions: Regions) -> Iterator[Span]:
    if "PRIVATE KEY" in text:
        for m in _BLOCK.finditer(text):
            yield m.span()
    for m in _KEYS.finditer(text):
        yield m.span()
    for m in _NAMED.finditer(text):
        yield m.span(1)
    for m in _ASSIGNED.finditer(text):
        if _is_random(m[1]):
            yield m.span(1)
    for m in _IN_ADDRESS.finditer(text):
        yield m.span(1)


SECRET = Kind(
    name="secret",
    what="a key, token or password",
    source="; ".join(f"{p.name} ({p.source})" for p in PREFIXED)
    + "; private key blocks (RFC 7468); random values assigned to a secret's name (entropy, as detect-secrets); "
    "passwords that are named, or stand in an address (RFC 3986)",
    hint=lambda t: len(t) > 10,
    spans=_secrets,
    mask=lambda text: f"{text[:2]}***",
    normal=exactly,
    example="key AKIAIOSFODNN7EXAMPLE leaked",
    clean="my password is wrong, reset password: please; task-based sk-learn",
)
