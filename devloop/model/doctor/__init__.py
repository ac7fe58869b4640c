"""The doctor's judgement: from facts (frozen values that `devloop.clients` brings) to diagnoses. No looking here."""
