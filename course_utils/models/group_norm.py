"""Normalisation that looks at one image alone, so that it does not matter who else is in the batch (chapter 14)."""

from torch import nn


def group_normalised(model: nn.Module, channels: int = 4) -> nn.Module:
    """Exchange every batch normalisation for a normalisation of groups of channels of each image.

    Args:
        model: changed in place.
        channels: how many a group has.

    Returns:
        The same model.

    Raises:
        ValueError: a layer has a number of channels that is no multiple.

    Source:
        Wu, He (2018), Group Normalization, doi:10.48550/arXiv.1803.08494.

    Example:
        >>> group_normalised(nn.Sequential(nn.BatchNorm2d(8)))[0].num_groups
        2
    """
    for name, part in model.named_children():
        if isinstance(part, nn.BatchNorm2d):
            if part.num_features % channels:
                raise ValueError(f"found {part.num_features} channels in {name}, expected a multiple of {channels}")
            setattr(model, name, nn.GroupNorm(part.num_features // channels, part.num_features))
        else:
            group_normalised(part, channels)
    return model
