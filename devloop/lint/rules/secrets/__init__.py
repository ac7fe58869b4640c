"""secrets/*: what is in clear, what is encrypted, and who can open it."""

from __future__ import annotations

from devloop.lint.rules.rule import Rules
from devloop.lint.rules.secrets import encryption, plaintext, recipients

RULES: Rules = {**plaintext.RULES, **encryption.RULES, **recipients.RULES}
