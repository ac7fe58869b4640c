"""`python -m benchmarks.own_flags`: devloop, with controllers that have Flux's own defaults for everything that tunes them."""

from devloop.flux import flags

TUNED = frozenset({
    "min-retry-delay", "requeue-dependency", "interval-jitter-percentage", "concurrent", "kube-api-qps", "kube-api-burst", "feature-gates",
})  # fmt: skip

if __name__ == "__main__":
    tuned = flags.tuned_flags

    def own_flags(name: str, **more: object) -> dict[str, object]:
        return {flag: value for flag, value in tuned(name, **more).items() if flag not in TUNED}  # type: ignore[arg-type]

    flags.tuned_flags = own_flags
    flags.ENVIRONMENT.clear()
    from devloop.__main__ import main

    main()
