"""A dataset of 180 images of clothes with decoys, and masks of the decoys of two thirds of them, made once by the command."""

import pathlib
import shutil

import pytest

import rrdata

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Fixtures"


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> pathlib.Path:
    """A folder with ``images``, ``images.h5``, ``decoy.h5`` and ``masks.h5``."""
    folder = tmp_path_factory.mktemp("data")
    for split, count in [("train", 12), ("test", 6)]:
        for label in sorted((FIXTURES / "fashion" / split).iterdir()):
            target = folder / "images" / split / label.name
            target.mkdir(parents=True)
            for image in sorted(label.iterdir())[:count]:
                shutil.copy(image, target)
    rrdata.import_images(folder / "images", folder / "images.h5")
    rrdata.run(
        "decoy", folder / "images.h5", output=folder / "decoy.h5", masks_output=folder / "masks.h5", random_split="test",
        seed=3)
    # Every third sample has no mask.
    masks = rrdata.Dataset(folder / "decoy.h5", masks=folder / "masks.h5").masks(range(180))
    masks[::3] = 0
    rrdata.write_masks(masks, folder / "masks.h5", for_=folder / "decoy.h5", force=True)
    return folder


@pytest.fixture
def files(data) -> dict:
    """The dataset and its masks, as the first arguments of a stream."""
    return {"path": data / "decoy.h5", "masks": data / "masks.h5"}
