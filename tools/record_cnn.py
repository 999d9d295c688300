"""Record the weights that chapter 08 opens with: ``python -m tools.record_cnn``.

The training is that of the chapter, step for step; it takes about 40 s on two quiet cores.
"""

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from course_utils import recorded
from course_utils.data.augment import Augmented, turned
from course_utils.data.patches import batches, load_patches
from course_utils.models.cnn import SimpleCNN
from course_utils.models.scaled import Scaled
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit


def main() -> None:
    """Train and write `course_utils/recorded/simple-cnn.safetensors`."""
    train, validation = load_patches("train", scenes=450), load_patches("validation")
    generator = torch.Generator().manual_seed(0)
    some = train[torch.randperm(len(train), generator=generator)[:200].tolist()]
    pixels = some["image"].movedim(1, -1)[some["valid"]]
    order = BatchSampler(RandomSampler(train, num_samples=4800, generator=generator), 16, drop_last=False)
    loader = DataLoader(train, sampler=order, batch_size=None, generator=generator)
    torch.manual_seed(0)
    model = Scaled(SimpleCNN(12), pixels).to(memory_format=torch.channels_last)
    config = FitConfig(epochs=2, learning_rate=1e-2, weight_decay=1e-2, schedule="onecycle", mixed_precision=True)
    fit(model, Segmentation(), Augmented(loader, turned), batches(validation, 32), config)
    recorded.save_weights("simple-cnn", model, "python -m tools.record_cnn", [0])


if __name__ == "__main__":
    main()
