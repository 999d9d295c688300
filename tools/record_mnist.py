"""Record how well chapter 08's network reads MNIST: ``python -m tools.record_mnist``, after ``fetch mnist``.

The training is that of the chapter, on one thread; it takes about a minute.
"""

import time

import torch
from torch.utils.data import StackDataset

from course_utils import recorded
from course_utils.data.digits import load_mnist
from course_utils.data.patches import batches
from course_utils.models.picture_cnn import PictureCNN
from course_utils.tasks import Classification
from course_utils.train import FitConfig, evaluate, fit


def measure(epochs: int = 4) -> dict[str, float]:
    """Train on 55,000 digits, choose the epoch on 5,000, test on 10,000.

    Args:
        epochs: passes over the training digits.

    Returns:
        ``accuracy`` on the test digits, 0–1, and ``seconds`` that the training took.
    """
    torch.set_num_threads(1)
    train, test = (StackDataset(image=torch.from_numpy(found.images), label=torch.from_numpy(found.labels))
                   for found in (load_mnist("train"), load_mnist("test")))
    held = len(train) // 12
    parts = {"train": StackDataset(**train[held:]), "validation": StackDataset(**train[:held])}
    torch.manual_seed(0)
    net, task = PictureCNN(1, 28, 10), Classification(10)
    loader = batches(parts["train"], 64, shuffle=True, generator=torch.Generator())
    config = FitConfig(epochs=epochs, learning_rate=1e-2, schedule="onecycle")
    started = time.perf_counter()
    fit(net, task, loader, batches(parts["validation"], 512), config)
    seconds = time.perf_counter() - started
    return {"accuracy": evaluate(net, task, batches(test, 512))[1]["accuracy"], "seconds": round(seconds)}


def main() -> None:
    """Measure and write `course_utils/recorded/mnist.json`."""
    recorded.save_results("mnist", measure(), "python -m tools.record_mnist", [0])


if __name__ == "__main__":
    main()
