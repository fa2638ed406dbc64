"""Decoy Fashion-MNIST: accuracy against the number of annotated samples.

    python Benchmarks/experiments/annotated_count.py --rrdata rrdata [--work FOLDER]

Writes results/annotated_count.md, and a line a run in results/annotated_count.jsonl. Another seed annotates other samples;
those of a larger number hold those of a smaller one.
"""

import numpy

import laboratory

COUNTS = [1, 10, 100, 1_000, 60_000]
# How the penalty of few samples reaches the loss: its name, what it says, and the arguments of `train`.
WAYS = [
    ("annotated", "divided by the batch's annotated samples", ["--penalty-reduction", "annotated", "--lambda1", "1"]),
    ("mean", "divided by the batch's samples", ["--penalty-reduction", "mean", "--lambda1", "1"]),
    ("fraction", "an eighth of each batch annotated",
     ["--annotated-fraction", "0.125", "--penalty-reduction", "annotated", "--lambda1", "1"]),
]


def annotate(place, count, seed):
    """The name of a mask set in which so many samples of the training split keep their mask."""
    name = f"annotated-{count}-{seed}.h5"

    def kept(rows, masks):
        training = laboratory.training_rows(place.work / "decoy.h5")
        chosen = numpy.random.default_rng(seed).permutation(training)[:count]
        changed = numpy.full_like(rows, count)
        changed[chosen] = numpy.arange(count)
        return changed, numpy.concatenate([masks[rows[chosen]], numpy.zeros_like(masks[:1])])

    if not place.only_table:
        laboratory.change_masks(place.work, name, kept)
    return name


def main():
    options = laboratory.parser("Accuracy against the number of annotated samples.").parse_args()
    place = laboratory.Laboratory("annotated_count", options)
    if not options.table_only:
        laboratory.make_decoys(place)
    works = [("none", 0, ["decoy.h5"])] + [
        (way, count, arguments) for count in COUNTS for way, _, arguments in WAYS
        if (count < COUNTS[-1] or way == "mean") and (
            way != "fraction" or place.has_option("train", "--annotated-fraction"))]
    for seed in range(options.seeds):
        for way, count, arguments in works:
            if options.table_only or not place.is_wanted(way):
                continue
            masks = ["decoy.h5", "--masks", annotate(place, count, seed)] if count else []
            dataset, *arguments = [*masks, *arguments]
            place.train({"way": way, "annotated": count, "seed": seed}, dataset,
                        [*arguments, *laboratory.training_options("mlp", seed)])
            (place.work / f"annotated-{count}-{seed}.h5").unlink(missing_ok=True)
    write(list(place.records.values()))
    place.close()


def write(records):
    def cell(way, count):
        # All samples annotated make the ways one.
        ways = {"none"} if count == 0 else {way, "mean"} if count == COUNTS[-1] else {way}
        return laboratory.spread(
            [record["accuracy"] for record in records if record["annotated"] == count and record["way"] in ways], 100, 1)
    present = [(way, title) for way, title, _ in WAYS if any(record["way"] == way for record in records)]
    lines = ["| annotated samples | " + " | ".join(f"penalty {title}" if way != "fraction" else title
                                                   for way, title in present) + " |",
             "|---" * (1 + len(present)) + "|"]
    for count in [0, *COUNTS]:
        lines.append(f"| {count:,} | " + " | ".join(cell(way, count) for way, _ in present) + " |")
    seeds = len({record["seed"] for record in records})
    laboratory.write_table("annotated_count", "How few masks are enough", (
        "Test accuracy in % on Decoy Fashion-MNIST of the 50-30 perceptron, λ1 = 1, 64 epochs as in "
        "`decoy_fashion_mlp.md`, where so many of the 60,000 training samples have a mask. Mean and standard deviation "
        f"over {seeds} seeds, each of which annotates other samples.\n\n" + "\n".join(lines)
        + "\n\nMade by `Benchmarks/experiments/annotated_count.py`; every run and its commands are in "
        "`annotated_count.jsonl`."), records)


main()
