"""Toy colours: which of two rules a model uses, over λ1 and the number of annotated samples, and the second explanation.

    python Benchmarks/experiments/toy_colors.py --rrdata rrdata [--work FOLDER]

A rule's share is how much of the 0.67-mask of the test samples lies on its pixels: of all elements whose input gradient, of
log p of the predicted class, is at least 0.67 times their sample's largest. Writes results/toy_colors.md, and a line a run
in results/toy_colors.jsonl.
"""

import json
import shutil

import h5py
import numpy

import laboratory

LAMBDAS = ["0.000001", "0.00001", "0.0001", "0.001", "0.01", "0.1", "1", "10", "100", "1000", "10000", "100000"]
COUNTS = [1, 10, 100, 1_000]
ALL = 20_000
# The paper's weight for this data.
STRENGTH = "1000"
TRAINING = ["--model", "mlp", "--optimizer", "adam", "--learning-rate", "0.001", "--weight-decay", "0.0001", "--batch-size",
            "256", "--epochs", "64"]


def make_data(place):
    if not (place.work / "toy.h5").exists():
        place.call("toy-colors", "-o", "toy.h5", "--corner-masks-output", "corners.h5", "--top-masks-output", "top.h5")


def region(path):
    """The elements that a rule's mask set marks, the same for every sample."""
    with h5py.File(path) as file:
        return file["A"][0].astype(bool)


def marked(place, masks):
    """The masks of the samples of the split `test`."""
    with h5py.File(place.work / "toy.h5") as file, h5py.File(masks) as marks:
        names = [name if isinstance(name, str) else name.decode() for name in file["split"].attrs["split_names"]]
        return marks["A"][:][marks["row"][:][file["split"][:] == names.index("test")]].astype(bool)


def share(masks, where):
    """How much of what the masks mark lies there; nothing where they mark nothing."""
    return float((masks & where).sum() / masks.sum()) if masks.any() else None


def shares(place, masks):
    """How much of the masks lies in the corners and at the top."""
    return {name: share(masks, region(place.work / f"{name}.h5")) for name in ("corners", "top")}


def measure(place, labels, masks, arguments, seed):
    """Trains on the toy colours and tells the accuracy and the shares of the 0.67-mask."""
    for name in ("run", "run.unfinished"):
        shutil.rmtree(place.work / name, ignore_errors=True)

    def figures(training, evaluation, _):
        training, evaluation = json.loads(training), json.loads(evaluation)
        return {"accuracy": evaluation["accuracy"], "lambda1_used": training["lambda1"],
                "seconds": round(training["seconds"], 2), **shares(place, marked(place, place.work / "seen.h5"))}

    chosen = ["--masks", masks] if masks else []
    return place.measure({**labels, "seed": seed}, [
        ["train", "toy.h5", *chosen, *arguments, *TRAINING, "--seed", seed, "--json", "-o", "run"],
        ["evaluate", "run", "toy.h5", "--json"],
        ["make-masks", "toy.h5", "--run", "run", "--threshold", "0.67", "--target", "predicted", "--split", "test",
         "--force", "-o", "seen.h5"]], figures)


def annotate(place, count, seed):
    """The name of corner masks that only so many samples of the training split have."""
    name = f"corners-{count}-{seed}.h5"
    if not place.only_table:
        training = laboratory.training_rows(place.work / "toy.h5")
        with h5py.File(place.work / "corners.h5") as source, h5py.File(place.work / name, "w") as target:
            target.attrs.update(source.attrs)
            target.attrs["provenance"] = json.dumps({"source": f"{count} of the training samples"})
            rows = numpy.full_like(source["row"][:], 1)
            rows[numpy.random.default_rng(seed).permutation(training)[:count]] = 0
            target["row"], target["A"] = rows, source["A"][:][[0, -1]]
    return name


def find_another(place, seed):
    """Three rounds of the paper's loop, of which two have a rule to find, and the shares of each round's mask."""
    shutil.rmtree(place.work / "rounds", ignore_errors=True)

    def figures(output):
        rounds, earlier = [], None
        for row in json.loads(output)["rounds"]:
            masks = marked(place, place.work / "rounds" / f"round-{row['round']}" / "masks.h5")
            overlap = None if earlier is None else share(masks, earlier)
            rounds.append({"accuracy": row["accuracy"], "overlap": overlap, **shares(place, masks)})
            earlier = masks if earlier is None else earlier | masks
        return {"rounds": rounds}

    return place.measure({"part": "find-another", "seed": seed}, [
        ["find-another", "toy.h5", "--rounds", 3, "--threshold", "0.67", "--lambda1", STRENGTH, *TRAINING, "--seed", seed,
         "--json", "-o", "rounds"]], figures)


def main():
    options = laboratory.parser("Which rule a model uses on the toy colours.").parse_args()
    place = laboratory.Laboratory("toy_colors", options)
    if not options.table_only:
        make_data(place)
    for seed in range(options.seeds):
        for part, value, masks, arguments in works():
            if not place.is_wanted(part):
                continue
            if part == "annotated":
                masks = annotate(place, value, seed)
            measure(place, {"part": part, "value": value}, masks, arguments, seed)
        if place.is_wanted("find-another") and (options.table_only or "find-another" in place.call("--help")):
            find_another(place, seed)
    write(list(place.records.values()))
    place.close()


def works():
    return [("plain", "0", None, []), ("corners", STRENGTH, "corners.h5", ["--lambda1", STRENGTH]),
            ("top", STRENGTH, "top.h5", ["--lambda1", STRENGTH])] + [
        ("corners", value, "corners.h5", ["--lambda1", value]) for value in LAMBDAS if value != STRENGTH] + [
        ("annotated", count, None, ["--lambda1", STRENGTH, "--penalty-reduction", "annotated"]) for count in COUNTS]


def write(records):
    def line(title, lambda1, count, part, value):
        runs = [record for record in records if record["part"] == part and record.get("value") == value]
        cells = (laboratory.spread([run[name] for run in runs], scale, digits)
                 for name, scale, digits in (("accuracy", 100, 2), ("corners", 1, 3), ("top", 1, 3)))
        return f"| {title} | {lambda1} | {count} | " + " | ".join(cells) + f" | {len(runs)} |" if runs else None
    lines = ["| training | λ1 | annotated samples | test accuracy, % | share in the corners | share at the top | seeds |",
             "|---|---|---|---|---|---|---|",
             line("plain cross-entropy", 0, 0, "plain", "0"),
             *[line("corners masked", value, f"{ALL:,}", "corners", value) for value in LAMBDAS],
             line("top masked", STRENGTH, f"{ALL:,}", "top", STRENGTH),
             *[line("corners masked", STRENGTH, f"{count:,}", "annotated", count) for count in COUNTS]]
    loops = [record["rounds"] for record in records if record["part"] == "find-another"]
    if loops:
        lines += ["", "`rrdata find-another`, with the masks of one round as A of the next:", "",
                  "| round | test accuracy, % | share in the corners | share at the top | inside the masks before | seeds |",
                  "|---|---|---|---|---|---|"]
        for number in range(len(loops[0])):
            cells = (laboratory.spread([loop[number][name] for loop in loops], scale, digits) for name, scale, digits in (
                ("accuracy", 100, 2), ("corners", 1, 3), ("top", 1, 3), ("overlap", 1, 4)))
            lines.append(f"| {number + 1} | " + " | ".join(cells) + f" | {len(loops)} |")
    laboratory.write_table("toy_colors", "Toy colours: which rule a model uses", (
        "Images of 5×5 pixels of four colours, half of them with four equal corners and three different pixels at the top, "
        "the others with neither: either rule tells the classes apart. The 50-30 perceptron, 64 epochs of Adam at 0.001, "
        "weight decay 0.0001, batches of 256. A share is how much of the 0.67-masks of the 20,000 test samples lies on a "
        "rule's pixels (log p of the predicted class). Where few samples are annotated, the penalty is divided by their "
        "number. Mean and standard deviation over the seeds.\n\n" + "\n".join(line for line in lines if line is not None)
        + "\n\nMade by `Benchmarks/experiments/toy_colors.py`; every run and its commands are in `toy_colors.jsonl`."),
        records)


main()
