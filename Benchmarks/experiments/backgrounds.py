"""Garments before photographs: what helps where a whole background, or a small marker, goes with the class.

    python Benchmarks/experiments/backgrounds.py --rrdata rrdata [--work FOLDER]

T-shirts and shirts of Fashion-MNIST, a little smaller than they are, stand before crops of two photographs that scikit-learn carries. Of the training images
19 of 20 show the photograph of their class, of the test images half: the worst group is what a model gets right of a class
before the other's photograph. Masks mark the background, of all training images or of a tenth. Some rows begin with weights that
were trained on the eight other garments, before nothing: what pretraining stands for. In a second set every garment
stands before its own photograph or the other by chance, and a marker of 4 x 4 pixels at a place of its class goes with it as
the photograph did. Writes results/backgrounds.md, a picture of where two of the models look, and a line a run in
results/backgrounds.jsonl.
"""

import csv
import json
import pathlib
import shutil

import numpy
import sklearn.datasets
from PIL import Image

import laboratory

SIZE, CROP, PIXELS = 32, 64, 28
# How large garments stand before a whole background, and where the marker is.
EXTENTS = {"places": 25, "markers": PIXELS}
CLASSES = {"t-shirt": 0, "shirt": 6}
PLACES = ["flower.jpg", "china.jpg"]
COUNTS = {"train": 2_000, "test": 2_000}
AGREEMENT = 0.95
TRAINING = ["--model", "lenet", "--epochs", "25", "--batch-size", "128"]
SWAP = ["--guidance", "augment", "--augment-fill", "swap"]
CONSISTENCY = ["--guidance", "consistency", "--augment-fill", "swap"]
JACOBIAN = ["--penalty-target", "logit-jacobian"]
GRADCAM = ["--attribution", "gradcam"]
ROBUST = ["--group-dro", "0.01"]
# The run whose weights stand for pretrained ones.
CLEAN = "garments"
PRETRAINED = ["--init", f"{CLEAN}-run/weights.safetensors", "--head", "new"]
# What is tried: a name, the masks, the arguments.
ROWS = {
    "places": [
        ("plain cross-entropy", None, []),
        ("penalty of Σ log p, λ1 1", "all", ["--lambda1", "1"]),
        ("penalty of Σ log p, λ1 100", "all", ["--lambda1", "100"]),
        ("penalty of the logits' Jacobian, λ1 1", "all", [*JACOBIAN, "--lambda1", "1"]),
        ("penalty of the logits' Jacobian, λ1 100", "all", [*JACOBIAN, "--lambda1", "100"]),
        ("penalty of Grad-CAM, λ1 1", "all", [*GRADCAM, "--lambda1", "1"]),
        ("penalty of Grad-CAM, λ1 100", "all", [*GRADCAM, "--lambda1", "100"]),
        ("uniform values inside A", "all", ["--guidance", "augment"]),
        ("normal values inside A", "all", ["--guidance", "augment", "--augment-fill", "noise"]),
        ("swap", "all", SWAP),
        ("swap instead of the image", "all", [*SWAP, "--augment-place", "instead"]),
        ("consistency", "all", CONSISTENCY),
        ("swap and consistency", "all", [*SWAP, "--consistency", "1"]),
        ("groups balanced", None, ["--balance", "groups"]),
        ("groups balanced, and swap", "all", [*SWAP, "--balance", "groups"]),
        ("group DRO", None, ROBUST),
        ("group DRO, and swap", "all", [*SWAP, *ROBUST]),
        ("pretrained: plain cross-entropy", None, PRETRAINED),
        ("pretrained: penalty of Σ log p, λ1 100", "all", ["--lambda1", "100", *PRETRAINED]),
        ("pretrained: penalty of the logits' Jacobian, λ1 100", "all", [*JACOBIAN, "--lambda1", "100", *PRETRAINED]),
        ("pretrained: swap", "all", [*SWAP, *PRETRAINED]),
        ("pretrained: a tenth of the masks: consistency", "tenth", [*CONSISTENCY, *PRETRAINED]),
        ("a tenth of the masks: swap", "tenth", SWAP),
        ("a tenth of the masks: consistency", "tenth", CONSISTENCY),
        ("a tenth of the masks: consistency, λ1 10", "tenth", [*CONSISTENCY, "--lambda1", "10"]),
    ],
    "markers": [
        ("plain cross-entropy", None, []),
        ("penalty of Σ log p, λ1 10", "all", ["--lambda1", "10"]),
        ("penalty of Σ log p, λ1 100", "all", ["--lambda1", "100"]),
        ("penalty of the logits' Jacobian, λ1 10", "all", [*JACOBIAN, "--lambda1", "10"]),
        ("penalty of the logits' Jacobian, λ1 100", "all", [*JACOBIAN, "--lambda1", "100"]),
        ("penalty of Grad-CAM, λ1 1", "all", [*GRADCAM, "--lambda1", "1"]),
        ("uniform values inside A", "all", ["--guidance", "augment"]),
        ("swap", "all", SWAP),
        ("consistency", "all", CONSISTENCY),
    ],
}
FIRST = {"plain cross-entropy", "swap", "groups balanced", "a tenth of the masks: consistency",
         "penalty of Σ log p, λ1 100", "penalty of the logits' Jacobian, λ1 100"}


def photographs():
    folder = pathlib.Path(sklearn.datasets.__file__).parent / "images"
    return [numpy.asarray(Image.open(folder / name).convert("RGB")) for name in PLACES]


def draw(random, garment, photograph, marker):
    """An image, and the pixels that are no valid reason: the background, or the marker. Without a photograph there is none."""
    image = numpy.zeros((SIZE, SIZE, 3), "u1")
    if photograph is not None:
        top, left = (random.integers(0, extent - CROP) for extent in photograph.shape[:2])
        crop = Image.fromarray(photograph[top:top + CROP, left:left + CROP])
        image = numpy.array(crop.resize((SIZE, SIZE), Image.Resampling.BOX))
    extent = EXTENTS["places" if marker is None else "markers"]
    if extent != PIXELS:
        garment = numpy.array(Image.fromarray(garment).resize((extent, extent), Image.Resampling.BOX))
    row, column = random.integers(0, SIZE - extent + 1, 2)
    place = (slice(row, row + extent), slice(column, column + extent))
    object_ = numpy.zeros((SIZE, SIZE), bool)
    object_[place] = garment > 8
    image[object_] = numpy.repeat(garment[garment > 8][:, None], 3, 1)
    if marker is None:
        return image, ~object_
    corner = (slice(1, 5), slice(1, 5)) if marker == 0 else (slice(1, 5), slice(SIZE - 5, SIZE - 1))
    image[corner] = [255, 0, 255]
    marked = numpy.zeros((SIZE, SIZE), bool)
    marked[corner] = True
    return image, marked


def make_folder(folder, has_markers):
    """The images with metadata.csv, and a mask for each, the same for every machine."""
    random = numpy.random.default_rng(1 if has_markers else 0)
    pixels = laboratory.idx("train-images-idx3-ubyte.gz", 16).reshape(-1, PIXELS, PIXELS)
    labels = laboratory.idx("train-labels-idx1-ubyte.gz", 8)
    pools = [iter(random.permutation(numpy.flatnonzero(labels == number))) for number in CLASSES.values()]
    names, places = list(CLASSES), photographs()
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    with open(folder / "metadata.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "label", "split", "group"])
        for split, count in COUNTS.items():
            for number in range(count):
                label = number % 2
                agrees = random.random() < (AGREEMENT if split == "train" else 0.5)
                cue = label if agrees else 1 - label
                place = int(random.integers(2)) if has_markers else cue
                image, mask = draw(random, pixels[next(pools[label])], places[place], cue if has_markers else None)
                name = f"{split}-{number:04d}.png"
                Image.fromarray(image).save(folder / "images" / name)
                Image.fromarray((mask * 255).astype("u1")).save(folder / "masks" / name)
                table.writerow([f"images/{name}", names[label], split, f"{names[label]} with cue {cue}"])


def make_clean_weights(place):
    """Trains on the garments that the task does not have."""
    if (place.work / f"{CLEAN}-run").exists() or place.only_table:
        return
    random = numpy.random.default_rng(3)
    pixels = laboratory.idx("train-images-idx3-ubyte.gz", 16).reshape(-1, PIXELS, PIXELS)
    labels = laboratory.idx("train-labels-idx1-ubyte.gz", 8)
    chosen = random.permutation(numpy.flatnonzero(~numpy.isin(labels, list(CLASSES.values()))))[:sum(COUNTS.values())]
    images = numpy.stack([draw(random, pixels[index], None, None)[0] for index in chosen])
    numpy.savez(place.work / f"{CLEAN}.npz", train_images=images, train_labels=labels[chosen])
    place.call("import", "npz", f"{CLEAN}.npz", "--force", "-o", f"{CLEAN}.h5")
    place.call("train", f"{CLEAN}.h5", *TRAINING, "-o", f"{CLEAN}-run")


def make_data(place, name):
    work, folder = place.work, place.work / name
    if (work / f"{name}-tenth.h5").exists() or place.only_table:
        return
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder, has_markers=name == "markers")
    place.call("import", "images", name, "--force", "-o", f"{name}.h5")
    place.call("import", "masks", f"{name}/masks", "--for", f"{name}.h5", "--force", "-o", f"{name}-all.h5")
    chosen = set(numpy.random.default_rng(2).choice(COUNTS["train"], COUNTS["train"] // 10, replace=False))
    for number in range(COUNTS["train"]):
        if number not in chosen:
            (folder / "masks" / f"train-{number:04d}.png").unlink()
    for path in (folder / "masks").glob("test-*.png"):
        path.unlink()
    place.call("import", "masks", f"{name}/masks", "--for", f"{name}.h5", "--force", "-o", f"{name}-tenth.h5")


def figures(training, evaluation):
    training, evaluation = json.loads(training), json.loads(evaluation)
    swap = evaluation["explanation"]["swap_test"]["inside"]
    return {"accuracy": evaluation["accuracy"], "worst_group": evaluation["worst_group"]["accuracy"],
            "swap_difference": swap["difference"], "cross_entropy": training["cross_entropy"]}


def measure(place, name, row, masks, arguments, seed):
    for folder in ("run", "run.unfinished"):
        shutil.rmtree(place.work / folder, ignore_errors=True)
    chosen = ["--masks", f"{name}-{masks}.h5"] if masks else []
    return place.measure(
        {"data": name, "row": row, "seed": seed}, [
            ["train", f"{name}.h5", *chosen, *arguments, *TRAINING, "--seed", seed, "--json", "-o", "run"],
            ["evaluate", "run", f"{name}.h5", "--masks", f"{name}-all.h5", "--json"]], figures)


def measure_all(place, names):
    """What the table begins with comes first, so that a run that is stopped has most of what it tells."""
    for important in (True, False):
        for name in names:
            for row, masks, arguments in ROWS[name]:
                if (row in FIRST) == important:
                    for seed in range(place.seeds):
                        measure(place, name, row, masks, arguments, seed)


def table(place, name):
    lines = ["| | worst group, % | accuracy, % | swap test, points |", "|---|---|---|---|"]
    records = []
    for row, masks, arguments in ROWS[name]:
        found = [measure(place, name, row, masks, arguments, seed) for seed in range(place.seeds)]
        found = [record for record in found if record]
        if not found:
            continue
        records += found
        cells = [laboratory.spread([r[key] for r in found], 100, 1)
                 for key in ("worst_group", "accuracy", "swap_difference")]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines), records


def draw_sheet(place):
    """Test images, and what the plain model and the one with swapped backgrounds look at in them."""
    sheet = laboratory.RESULTS / "backgrounds.png"
    if place.only_table or sheet.exists():
        return
    runs = {"plain": [], "swapped": ["--masks", "places-all.h5", *SWAP, "--consistency", "1"]}
    for name, arguments in runs.items():
        if not (place.work / name).exists():
            place.call("train", "places.h5", *arguments, *TRAINING, "-o", name)
    place.call("preview", "places.h5", "--masks", "places-all.h5", "--run", "plain", "--run", "swapped", "--split", "test",
               "--select", "inside", "--count", "6", "--panel-size", "96", "-o", sheet)


def main():
    place = laboratory.Laboratory("backgrounds", laboratory.parser(__doc__).parse_args())
    tables, records = {}, []
    names = [name for name in ROWS if place.is_wanted(name)]
    for name in names:
        make_data(place, name)
    make_clean_weights(place)
    measure_all(place, names)
    for name in names:
        tables[name], found = table(place, name)
        records += found
    if "places" in names:
        draw_sheet(place)
    laboratory.write_table("backgrounds", "Backgrounds and markers", f"""
{place.seeds} seeds, the mean and the standard deviation. 2,000 training images of 32 × 32, `lenet`, 25 epochs (400 steps), of
T-shirts and shirts (`Benchmarks/experiments/backgrounds.py`); the swap test is how many more predictions change when what lies
inside A is that of another group than when it is that of the same.

## A whole background goes with the class

{tables.get("places", "")}

![Test images, and what two of the models look at in them](backgrounds.png)

## A marker of 4 × 4 pixels goes with the class

{tables.get("markers", "")}

The marker tells the class by its place: what lies inside one is like what lies inside another, so that the swap test has nothing to
swap there. Rows that the script has and the tables have not were not run.
""", records)
    place.close()


if __name__ == "__main__":
    main()
