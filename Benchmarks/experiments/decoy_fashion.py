"""Decoy Fashion-MNIST: accuracy with decoys that mislead on the test set, over the explanation loss's weight.

    python Benchmarks/experiments/decoy_fashion.py --rrdata rrdata --network mlp|lenet [--work FOLDER]

Writes results/decoy_fashion_NETWORK.md, and a line a run in results/decoy_fashion_NETWORK.jsonl.
"""

import statistics

import laboratory

DECADES = ["0.001", "0.01", "0.1", "1", "10", "100", "1000", "10000", "100000", "1000000"]
# What the annotations are worth: clean training has no decoys at all. Points that the explanation loss may lie below it.
TARGETS = {"mlp": 0.5, "lenet": 1.0}
TITLES = {"mlp": "the 50-30 perceptron", "lenet": "a convolutional network, `lenet`"}


def rows(network):
    """The name of each row, what it says, and the arguments of `train`; in the order in which they are run."""
    def masked(*arguments, masks="masks.h5"):
        return ["decoy.h5", "--masks", masks, *arguments]
    main = [
        ("clean", "clean training, judged on the clean test set", ["fashion.h5"]),
        ("plain", "plain cross-entropy", ["decoy.h5"]),
        ("rrr-1", "explanation loss, λ1 = 1", masked("--lambda1", "1")),
        ("rrr-auto", "explanation loss, λ1 = auto", masked("--lambda1", "auto"))]
    controls = [
        ("centre", "control: a patch in the centre as A, λ1 = 1", masked("--lambda1", "1", masks="centre.h5")),
        ("permuted", "control: A permuted over samples, λ1 = 1", masked("--lambda1", "1", masks="permuted.h5"))]
    sweep = [(f"rrr-{value}", f"explanation loss, λ1 = {value}", masked("--lambda1", value))
             for value in DECADES if value != "1"]
    others = [
        ("augment-1", "counterexamples: random values inside A, λ1 = 1",
         masked("--guidance", "augment", "--lambda1", "1")),
        ("pgd-1", "the worst case inside A, at most 0.3 away, λ1 = 1",
         masked("--guidance", "pgd", "--lambda1", "1")),
        # Shades of decoys are up to 225/255 apart.
        ("pgd-wide-1", "the worst case inside A, at most 1 away, λ1 = 1",
         masked("--guidance", "pgd", "--pgd-radius", "1", "--lambda1", "1"))] + [
        (f"input-gradient-{value}", f"the squared input gradient of the cross-entropy, without A, λ1 = {value}",
         ["decoy.h5", "--guidance", "input-gradient", "--lambda1", value]) for value in ("0.1", "1", "10")]
    return main + controls + sweep + others


def main():
    parser = laboratory.parser("Accuracy on Decoy Fashion-MNIST.")
    parser.add_argument("--network", required=True, choices=TITLES)
    options = parser.parse_args()
    network = options.network
    name = f"decoy_fashion_{network}"
    place = laboratory.Laboratory(name, options)
    if not options.table_only:
        laboratory.make_decoys(place)
    found = {row: [] for row, _, _ in rows(network)}
    can_guide = options.table_only or place.has_option("train", "--guidance")
    for seed in range(options.seeds):
        for row, _, (dataset, *arguments) in rows(network):
            if options.table_only or not place.is_wanted(row) or ("--guidance" in arguments and not can_guide):
                continue
            arguments += laboratory.training_options(network, seed)
            place.train({"row": row, "network": network, "seed": seed}, dataset, arguments,
                        masks=None if dataset == "fashion.h5" else "masks.h5")
    for record in place.records.values():
        found[record["row"]].append(record)
    write(name, network, found)
    place.close()


def write(name, network, found):
    def mean(row):
        return 100 * statistics.mean(record["accuracy"] for record in found[row])
    order = ["clean", "plain", *(f"rrr-{value}" for value in DECADES), "rrr-auto", "permuted", "centre",
             "augment-1", "pgd-1", "pgd-wide-1", *(f"input-gradient-{value}" for value in ("0.1", "1", "10"))]
    titles = {row: title for row, title, _ in rows(network)}
    lines = ["| training | λ1 | test accuracy, % | worst class, % | input gradient on the decoy, % | seeds |",
             "|---|---|---|---|---|---|"]
    for row in order:
        records = found[row]
        if not records:
            continue
        def of(figure, scale=100, digits=2):
            return laboratory.spread([record[figure] for record in records], scale, digits)
        title, _, _ = titles[row].partition(", λ1")
        lambda1 = f"auto: {of('lambda1_used', 1, 2)}" if row == "rrr-auto" else f"{records[0]['lambda1_used']:g}"
        lines.append(f"| {title} | {lambda1} | {of('accuracy')} | {of('worst_class', 100, 1)} "
                     f"| {of('gradient_share_inside_mask', 100, 3)} | {len(records)} |")
    swept = [row for row in order if row.startswith("rrr-") and row != "rrr-auto" and found[row]]
    text = "\n".join(lines) + "\n\n"
    if found["clean"] and swept:
        best = max(swept, key=mean)
        text += (f"Clean training: {mean('clean'):.2f} %. The best of the sweep, λ1 = {best.removeprefix('rrr-')}: "
                 f"{mean(best):.2f} %, {mean('clean') - mean(best):.2f} points below it (target: at most "
                 f"{TARGETS[network]}).")
        if found["rrr-auto"]:
            text += f" auto: {mean('rrr-auto'):.2f} %, {mean('rrr-auto') - mean(best):+.2f} points from that best."
    if found["permuted"]:
        text += (" Masks of other samples do as well, since a decoy may lie in any corner: accuracy does not show whether "
                 "masks are aligned. Masks that mark no decoy do not help." if found["centre"] else "")
    shared = next(record for records in found.values() for record in records)["commands"][0]
    intro = (
        f"{laboratory.EPOCHS[network]} epochs with {TITLES[network]}, Adam at 0.001, weight decay 0.0001, batches of 256; all "
        "60,000 training images have a decoy, a patch in a corner whose shade gives the class away, and on the 10,000 test "
        "images its shade is random. Mean and standard deviation over the seeds.\n\n")
    text += (f"\n\nMade by `Benchmarks/experiments/decoy_fashion.py --network {network}`; "
             f"every run and its commands are in `{name}.jsonl`, the first of which is `{shared}`.")
    records = [record for records in found.values() for record in records]
    laboratory.write_table(name, f"Decoy Fashion-MNIST with {TITLES[network]}", intro + text, records)


main()
