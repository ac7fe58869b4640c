"""Finds plaintext secrets in Secrets: not placeholders, variables, encrypted values, public keys or plain settings."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

# Types with values from the cluster itself, and Helm's releases.
MANAGED_TYPES = ("kubernetes.io/service-account-token", "helm.sh/release.v1")

# Placeholders: a word in the text, the whole text, or template syntax.
_WORDS = re.compile(
    r"(?i)(place[-_ ]?holder|change[-_ ]?(me|this|it)|replace[-_ ]?(me|this|with)|fill[-_ ]?(me|in)|to[-_ ]?be[-_ ]?(defined|replaced|set)"
    r"|\byour[-_ ][\w-]+|insert[-_ ][\w-]{0,40}here|not[-_ ]?a[-_ ]?secret|redacted|\bexample\b|\.example(\.|/|:|$)|\.invalid(/|:|$)"
    r"|x{4,}|\*{3,}|\*\*SOPS\*\*|\.{3})"
)
_WHOLE = re.compile(r"(?i)(dummy|fake|todo|tbd|none|null|nil|n/a|sample|unset|undefined|empty|x+|-+|\?+|\{\s*\}|\[\s*\]|\"\"|'')")
_MARKERS = re.compile(
    r"(?s)\$\(.{0,200}?\)|\{\{.{0,200}?\}\}|<%.{0,200}?%>|\[\[.{0,200}?\]\]"
    r"|<[A-Za-z_][^<>\n]*>|\bENC\[|\bref\+\w+://|\bop://|\bvault:[\w/]+|%\w+%|\b__\w+__\b"
)
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*(?::?[-=]([^${}]*))?[^${}]*\}")
# A placeholder in place of Base64 is shorter.
_LONG = 40
# Maximum nesting of variables in defaults.
_DEEPEST = 20
_PUBLIC = re.compile(
    r"(?s)\s*(-----BEGIN (CERTIFICATE|TRUSTED CERTIFICATE|X509 CRL|PUBLIC KEY|PGP PUBLIC KEY BLOCK|DH PARAMETERS|CERTIFICATE REQUEST)-----"
    r"|(\S+ )?(ssh-(ed25519|rsa|dss)|ecdsa-sha2-\S+|sk-ssh-\S+) AAAA|age1[a-z0-9]{58}\s*$)"
)
_PRIVATE = re.compile(r"PRIVATE KEY(?: BLOCK)?-----|AGE-SECRET-KEY-")
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.:-]*://\S*|[\w-]+(\.[\w-]+)+(:\d+)?(/\S*)?|[\w.+-]+@[\w-]+(\.[\w-]+)+|localhost(:\d+)?|/[\w./-]*", re.I
)
_CREDENTIALS = re.compile(r"://[^/@\s]*:[^/@\s]+@|[?&;](?:[\w-]*(?:token|key|secret|password|passwd|sig|signature))=(?!/|%2f)[^&\s]+", re.I)
_RANDOM = re.compile(r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}")
_SWITCH = re.compile(r"(?i)true|false|yes|no|on|off|enabled?|disabled?")
_PLAIN = re.compile(r"(?i)([+-]?\d{1,5}(\.\d+)?|\d+[smhd]|[a-z]{2}(-[a-z]+)+-\d)")
_CIPHER = re.compile(
    r"(?i)(aes|chacha20|poly1305|hmac|rsa|ecdsa|ed25519|sha[123]?|md5|argon2(id|i|d)?|bcrypt|scrypt|pbkdf2|serpent|twofish|blake2[bs]?|xchacha20)"
    r"([-_/]?(\d{1,4}|xts|cbc|gcm|ctr|ecb|siv|plain(64)?|essiv|poly1305|sha\d*|oaep|pss|kw|with|rsa|ecdsa))*|[hrep]s(256|384|512)|eddsa"
)
# A number is a setting by one of these names, whatever else is in the name: KEY_SIZE, TOKEN_TTL, PASSWORD_MIN_LENGTH.
_MEASURE = re.compile(
    r"(?i)(.*[-_.])?(size|bits|length|ttl|timeout|count|min|max|limit|port|interval|days|hours|minutes|seconds|age|expiry|expiration|lifetime|rounds"
    r"|iterations|version|retries|replicas)"
)
_IDENTIFIER = re.compile(r"(?i)(.*[-_.a-z])?(id|guid|uuid|arn)")
_IDENTIFYING = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|A[KS]IA[0-9A-Z]{16}|\d+|arn:[\w:/*.-]+")
_SETTING = re.compile(
    r"(?i)(.*[-_.])?(user|user[-_]?name|login|e?-?mail|type|name|host|host[-_]?name|port|server|end[-_]?point|region|zone|bucket|db[-_]?name|database"
    r"|scheme|protocol|(client|app|tenant|subscription|account|project|installation|key)[-_]?id|known[-_]?hosts|ca\.crt|tls\.crt|ca|cert|crt|pub"
    r"|public[-_]?key|enable.*|disable.*|driver|backend|provider|cipher(s|[-_]?suites?)?|algorithm|alg|hash|encoding|format|class|kind|engine|insecure"
    r"|namespace|project|path|realm|issuer|mode|log[-_]?level|version|method|domain|network|org(anization)?|owner|repo(sitory)?)"
)
_SECRETIVE = re.compile(r"(?i)pass|secret|token|key|credential|auth|private|pwd|cookie|salt|dsn|connection")
_ENTRY = re.compile(r"""^\s*(?:export\s+|-\s+)?["']?([\w.-]+)["']?\s*[:=]\s*["']?(.*?)["']?,?\s*$""")


def clear_fields(body: Mapping[str, Any], unknown: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """The fields of a Secret, like ('stringData', 'password'), with plaintext secrets; `unknown` are JSON pointers to skip."""
    if str(body.get("type", "")) in MANAGED_TYPES:
        return
    for section in ("data", "stringData"):
        values = body.get(section)
        for key, value in values.items() if isinstance(values, Mapping) else ():
            pointer = f"/{section}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if pointer not in unknown and value is not None and is_clear(str(key), decoded(section, str(value))):
                yield section, str(key)


def decoded(section: str, value: str) -> str:
    """Values in `data` are Base64; others (a variable, a placeholder) are returned unchanged."""
    if section != "data" or (len(value) < _LONG and _is_placeholder(value)):
        return value
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return value


def is_clear(name: str, value: str) -> bool:
    """Whether the value `name` of a Secret is a plaintext secret; yes in case of doubt."""
    text = _without_variables(value).strip()
    if _PRIVATE.search(text):
        return not _is_placeholder(text)
    if "\n" in text and not _PUBLIC.match(text) and (entries := [match for match in map(_ENTRY.match, text.splitlines()) if match]):
        return any(_SECRETIVE.search(match[1]) and is_clear(match[1], match[2]) for match in entries if match[2])
    return not (_is_placeholder(text) or _PUBLIC.match(text) or _is_setting(name, text))


def _without_variables(text: str) -> str:
    """Replaces variables by their defaults; '' if one has no default: something else provides the secret."""
    for _ in range(_DEEPEST):
        if any(match[1] is None for match in _VARIABLE.finditer(text)):
            return ""
        before, text = text, _VARIABLE.sub(lambda match: match[1] or "", text)
        if text == before:
            break
    return text


def _is_placeholder(text: str) -> bool:
    return not text or bool(_WORDS.search(text) or _WHOLE.fullmatch(text) or _MARKERS.search(text))


def _is_setting(name: str, text: str) -> bool:
    """An address without credentials, a switch, a cipher, an identifier, a number, or a name that is not a secret's."""
    if _ADDRESS.fullmatch(text):
        return not _CREDENTIALS.search(text) and not any(_RANDOM.fullmatch(part) for part in re.split(r"[/?=&:@.]", text))
    if _SWITCH.fullmatch(text) or _CIPHER.fullmatch(text):
        return True
    if _IDENTIFIER.fullmatch(name) and _IDENTIFYING.fullmatch(text):
        return True
    if _PLAIN.fullmatch(text):
        return not _SECRETIVE.search(name) or bool(_MEASURE.fullmatch(name))
    return bool(_SETTING.fullmatch(name)) and not _RANDOM.fullmatch(text)
