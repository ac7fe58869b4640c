"""Times of Kubernetes objects."""

from datetime import datetime


def seconds(time: object) -> float:
    """Seconds since 1970 of an RFC 3339 time, 0 without one."""
    try:
        return datetime.fromisoformat(str(time).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
