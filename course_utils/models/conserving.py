"""An output layer that can neither make nor lose anything (chapter 16)."""

from torch import Tensor


def share_out(parts: Tensor, total: Tensor) -> Tensor:
    """Scale parts so that together they are a total; none changes its sign.

    Args:
        parts: (..., K) above 0, as a softplus gives them.
        total: (...) what there is to share out, 0 or more.

    Returns:
        (..., K): each part's share of the sum, times the total.

    Source:
        Chapter 16. Beucler et al. (2021), doi:10.1103/PhysRevLett.126.098302, build conservation laws into the last
        layers of a network in another way: some outputs are computed from the others.

    Example:
        >>> import torch
        >>> share_out(torch.tensor([1.0, 3.0]), torch.tensor(2.0)).tolist()
        [0.5, 1.5]
    """
    return parts / parts.sum(dim=-1, keepdim=True) * total[..., None]
