"""secrets/*: plain-text secrets, encrypted files, and who can decrypt them."""

from devloop.lint.rules.rule import Rules
from devloop.lint.rules.secrets import encryption, plaintext, recipients

RULES: Rules = {**plaintext.RULES, **encryption.RULES, **recipients.RULES}
