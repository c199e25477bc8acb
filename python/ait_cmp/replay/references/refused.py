"""Types that are never replayed, and why."""

from __future__ import annotations

import re

_COLLECTIVE = "a collective: it needs the tensors of all ranks"
_CONTROL = "it runs other graphs"
_RANDOM = "random: what it draws is not in the dump"

# Pattern of whole type names -> sentence; the first that fits.
_PATTERNS = (
    (
        r"Hcom.*|.*AllReduce.*|.*AllGather.*|.*ReduceScatter.*|.*AlltoAll.*|.*AllToAll.*",
        _COLLECTIVE,
    ),
    (r"MoeDistribute.*|Broadcast|.*AlltoAllv.*|Send|Receive", _COLLECTIVE),
    (r"If|While|Case|For|StatelessIf|StatelessWhile|StatelessCase|PartitionedCall", _CONTROL),
    (r"StatefulPartitionedCall|.*Switch|.*Merge|Enter|Exit|NextIteration|LoopCond", _CONTROL),
    (r"Stateless.*|Random.*|Dropout.*|DropOut.*|Multinomial.*|.*Normal.*Random.*", _RANDOM),
    (r"Empty|EmptyLike|EmptyTensor.*", "what it holds is not defined"),
)


def refusal_of_type(type_: str) -> str:
    """Why ops of a type without a reference are not replayed."""
    for pattern, sentence in _PATTERNS:
        if re.fullmatch(pattern, type_):
            return sentence
    return f"no reference for {type_} (--reference adds one)"
