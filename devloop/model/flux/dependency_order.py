"""The order of Kustomizations by what has to come before them. No I/O."""

from collections.abc import Mapping, Sequence

from devloop.model.kubernetes.objects import ObjectId


def dependency_order(before: Mapping[ObjectId, Sequence[ObjectId]]) -> list[ObjectId]:
    """All keys of `before`, each after its predecessors, otherwise in the given order; ignores cycles and unknown names."""
    order: dict[ObjectId, None] = {}

    def visit(object_id: ObjectId, above: frozenset[ObjectId]) -> None:
        if object_id not in before or object_id in order or object_id in above:
            return
        for earlier in before[object_id]:
            visit(earlier, above | {object_id})
        order[object_id] = None

    for object_id in before:
        visit(object_id, frozenset())
    return list(order)
