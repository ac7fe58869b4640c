"""Secrets in clear, told from placeholders, variables, public data and settings. Every value here is made up."""

from __future__ import annotations

import base64
import time

import pytest

from devloop.model.sops.plaintext import clear_fields, is_clear

TOKEN = "x9Kq2mVt7RwLp4Zs8Yd3"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQm90aCBwdWJsaWM=\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "correct-horse-battery"),
        ("password", "test"),
        ("password", "12345"),
        ("password", "sha-hunter"),
        ("client_secret", "9f3c1a52-77de-4b0a-9c1e-5a2b7d8e6f01"),
        ("token", TOKEN),
        ("url", "https://app:hunter2@db.local/app"),
        ("url", f"https://hooks.local/services/{TOKEN}"),
        ("url", "https://api.local/v1?api_token=abc"),
        ("uri", "postgresql://app:hunter2@postgres:5432/app?sslmode=disable"),
        ("username", TOKEN),
        ("tls.key", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"),
        ("credentials", "[default]\naws_access_key_id=PLACEHOLDER\naws_secret_access_key=9vTr2kLqW8zX\n"),
        ("config.yaml", "server: https://sso.local\nclientSecret: hunter2\n"),
        ("password", "${password:=hunter2}"),
        ("password", "${a:-${b:=hunter2}}"),
    ],
)
def test_these_are_in_clear(name: str, value: str) -> None:
    assert is_clear(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", ""),
        ("password", " \n"),
        ("password", "changeme"),
        ("password", "CHANGE_ME"),
        ("password", "<your password>"),
        ("token", "REPLACE_ME"),
        ("token", "your-token-here"),
        ("token", "xxxxxxxx"),
        ("url", "https://example.com/REPLACE_ME"),
        ("address", "https://hooks.example.invalid/none"),
        ("password", "{{ .Values.password }}"),
        ("password", "$(PASSWORD)"),
        ("password", "ref+vault://secret/app#/password"),
        ("password", "<path:secret/data/app#password>"),
        ("password", "${password}"),
        ("password", "${password:=changeme}"),
        ("uri", "postgresql://${user:=${APP}}@postgres:5432/${APP}?sslkey=/var/run/tls.key"),
        ("uri", "postgresql://app@postgres:5432/app?sslmode=verify-full&sslkey=/var/run/tls.key"),
        ("password", "ENC[AES256_GCM,data:3Q==,iv:TXe0,tag:aQ0O,type:str]"),
        ("password", "**SOPS**"),
        ("username", "admin"),
        ("AUTH_INSECURE", "false"),
        ("USE_TOKEN_AUTH", "true"),
        ("KEY_SIZE", "256"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("KEY_CIPHER", "aes-xts-plain64"),
        ("ENCRYPTION", "chacha20-poly1305"),
        ("JWT_ALG", "HS256"),
        ("sync-credentials.json", "{}\n"),
        ("STORAGE_DRIVER", "cloudflare"),
        ("AZURE_TENANT_ID", "9f3c1a52-77de-4b0a-9c1e-5a2b7d8e6f01"),
        ("AWS_ACCESS_KEY_ID", "AKIAQ7Z2M4N6P8R3T5V1"),
        ("client-id", "storefront"),
        ("port", "5432"),
        ("enabled", "true"),
        ("server", "https://sso.local"),
        ("hostname", "postgres-rw.database.svc"),
        ("ca.crt", CERTIFICATE),
        ("anything", CERTIFICATE),
        ("identity.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHnobody"),
        ("known_hosts", "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"),
        ("credentials", "[default]\naws_access_key_id=PLACEHOLDER\naws_secret_access_key=PLACEHOLDER\n"),
        ("config.yaml", "server: https://sso.local\nclientSecret: ${client_secret}\n"),
    ],
)
def test_these_are_not(name: str, value: str) -> None:
    assert not is_clear(name, value)


def test_fields_are_looked_for_in_both_sections_and_decoded_in_one() -> None:
    encoded = base64.b64encode(b"hunter2").decode()
    body = {"data": {"password": encoded, "mode": base64.b64encode(b"changeme").decode()}, "stringData": {"token": TOKEN, "none": None}}
    assert [*clear_fields(body)] == [("data", "password"), ("stringData", "token")]
    assert [*clear_fields(body, ("/stringData/token",))] == [("data", "password")]
    assert [*clear_fields({**body, "type": "kubernetes.io/service-account-token"})] == []
    assert [*clear_fields({"data": None, "stringData": "no mapping"})] == []


def test_a_pointer_names_keys_with_slashes_and_tildes() -> None:
    assert [*clear_fields({"stringData": {"a/b~c": TOKEN}}, ("/stringData/a~1b~0c",))] == []


@pytest.mark.parametrize("piece", ["{{", "[[", "$(", "<a", "${a:=", "insert-", "a", "9", "a.", "a=b\n"])
def test_a_long_value_takes_no_time(piece: str) -> None:
    begun = time.monotonic()
    is_clear("password", piece * 50_000)
    assert time.monotonic() - begun < 5


def test_a_placeholder_in_place_of_base64_is_one() -> None:
    assert not [*clear_fields({"data": {"identity": "XXXX", "password": "changeme"}})]
