"""A dataset of 180 images of clothes with decoys, and masks of the decoys of two thirds of them, made once by the command."""

import pathlib
import shutil
import sys

import pytest

import rrdata

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Fixtures"
# generate.py builds PyTorch's module of a model.json.
sys.path.append(str(FIXTURES / "reference"))


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="go on as long as a night's training does, with other seeds")
    parser.addoption("--seed", type=int, default=0, help="decides what tests that draw by chance draw")


@pytest.fixture
def is_long(request) -> bool:
    """Whether what is repeated is repeated a great many times."""
    return request.config.getoption("--long")


def pytest_generate_tests(metafunc):
    """Options that are drawn by chance: a hundred combinations of them, fewer where each takes long, more with ``--long``."""
    is_long, first = metafunc.config.getoption("--long"), 1000 * metafunc.config.getoption("--seed")
    for name, few, many in [("combination", 100, 500), ("resumed_combination", 25, 300), ("worker_combination", 2, 40)]:
        count = many if is_long else few
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, range(first, first + count))


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
