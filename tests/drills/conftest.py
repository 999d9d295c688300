"""What the drills share."""

from tests.drills.apart import needs_namespaces

__all__ = ["needs_namespaces"]
