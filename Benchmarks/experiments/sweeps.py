"""How far what `rrdata sweep` recommends lies below the best of its models, by figures that it does not see.

    python Benchmarks/experiments/sweeps.py --rrdata rrdata [--work FOLDER]

Three tasks: decoys (the accuracy on a test set whose decoys mislead), toy colours (the accuracy on test samples whose corners are
another sample's), and garments before photographs (the worst group). On each a sweep trains every way with every weight and seed,
and every model is judged on the test set; a way and a weight are worth the mean of their seeds. The penalty's automatic weight
is tried beside. Writes results/sweeps.md, and a line a model in results/sweeps.jsonl.
"""

import json
import shutil
import statistics

import h5py
import numpy

import backgrounds
import laboratory

WAYS, WEIGHTS = "rrr,swap,consistency", "1:100"
ADAM = ["--optimizer", "adam", "--learning-rate", "0.001", "--weight-decay", "0.0001", "--batch-size", "256"]
TASKS = {
    "decoys": ("decoy.h5", "masks.h5", "decoy.h5", ["--model", "mlp", *ADAM, "--epochs", "4"]),
    "toy colours": ("toy.h5", "corners.h5", "other-corners.h5", ["--model", "mlp", *ADAM, "--epochs", "24"]),
    "places": ("places.h5", "places-all.h5", "places.h5", backgrounds.TRAINING),
}


def make_toy_colours(place):
    """toy.h5 and corners.h5, and other-corners.h5: the test samples with corners of others."""
    if (place.work / "other-corners.h5").exists():
        return
    place.call("toy-colors", "-o", "toy.h5", "--corner-masks-output", "corners.h5", "--top-masks-output", "top.h5", "--force")
    with h5py.File(place.work / "toy.h5") as file, h5py.File(place.work / "corners.h5") as marks:
        names = [name if isinstance(name, str) else name.decode() for name in file["split"].attrs["split_names"]]
        test = numpy.flatnonzero(file["split"][:] == names.index("test"))
        images, labels, corners = file["images"][:][test], file["labels"][:][test], marks["A"][0].any(0)
    others = numpy.random.default_rng(0).permutation(len(images))
    images[:, :, corners] = images[others][:, :, corners]
    numpy.savez(place.work / "toy.npz", images=images, labels=labels)
    place.call("import", "npz", "toy.npz", "--images", "images", "--labels", "labels", "-o", "other-corners.h5")


def make_data(place, task):
    if task == "decoys":
        laboratory.make_decoys(place)
    elif task == "toy colours":
        make_toy_colours(place)
    else:
        backgrounds.make_data(place, "places")


def sweep(place, task):
    """A record for each model of a sweep."""
    dataset, masks, judge, training = TASKS[task]
    make_data(place, task)
    for name in ("sweep", "sweep.unfinished"):
        shutil.rmtree(place.work / name, ignore_errors=True)
    seeds = ",".join(map(str, range(place.seeds)))
    table = json.loads(place.call(
        "sweep", dataset, "--masks", masks, "--ways", WAYS, "--lambda1", WEIGHTS, "--seeds", seeds, *training, "--jobs",
        place.jobs, "--json", "-o", "sweep"))
    best = table["recommended"]
    records = []
    for run in table["runs"]:
        if run["outcome"] != "trained":
            continue
        folder = f"sweep/run-{run['number']}/run"
        value = judged(place, task, folder, judge)
        records.append({
            "task": task, "way": run["way"], "lambda1": run["lambda1"], "seed": run["seed"], "value": value,
            "recommended": (run["way"], run["lambda1"]) == (best["way"], best["lambda1"])})
    shutil.rmtree(place.work / "sweep")
    return records


def automatic(place, task):
    """A record for the model of each seed that takes the automatic weight of the penalty."""
    dataset, masks, judge, training = TASKS[task]
    make_data(place, task)
    records = []
    for seed in range(place.seeds):
        for name in ("run", "run.unfinished"):
            shutil.rmtree(place.work / name, ignore_errors=True)
        trained = json.loads(place.call(
            "train", dataset, "--masks", masks, "--lambda1", "auto", *training, "--seed", seed, "--jobs", place.jobs, "--json",
            "-o", "run"))
        value = judged(place, task, "run", judge)
        records.append({"task": task, "way": "automatic", "lambda1": trained["lambda1"], "seed": str(seed), "value": value,
                        "recommended": False})
    return records


def judged(place, task, folder, dataset):
    found = json.loads(place.call("evaluate", folder, dataset, "--json"))
    return found["worst_group"]["accuracy"] if task == "places" else found["accuracy"]


def known(place):
    """The models of tasks that are done."""
    return [json.loads(line) for line in place.ledger.read_text().splitlines()] if place.ledger.exists() else []


def means(records):
    """By way and weight: the mean of the seeds, and whether it is recommended."""
    cells = {}
    for record in records:
        cells.setdefault((record["way"], record["lambda1"]), []).append(record)
    return {key: (statistics.mean(r["value"] for r in found), found[0]["recommended"]) for key, found in cells.items()}


def main():
    parser = laboratory.parser(__doc__)
    parser.set_defaults(seeds=2)
    place = laboratory.Laboratory("sweeps", parser.parse_args())
    lines = ["| task | seeds | plain, % | best, % | by | recommended, % | by | behind, points |",
             "|---|---|---|---|---|---|---|---|"]
    for task in TASKS:
        if not any(r["task"] == task for r in known(place)) and not place.only_table:
            with open(place.ledger, "a") as file:
                file.writelines(json.dumps(record) + "\n" for record in sweep(place, task))
        if not any(r["task"] == task and r["way"] == "automatic" for r in known(place)) and not place.only_table:
            with open(place.ledger, "a") as file:
                file.writelines(json.dumps(record) + "\n" for record in automatic(place, task))
    for task in dict.fromkeys(r["task"] for r in known(place)):
        records = [r for r in known(place) if r["task"] == task and r["way"] != "automatic"]
        found = means(records)
        (best, (value, _)) = max(found.items(), key=lambda item: item[1][0])
        (chosen, (own, _)) = next(item for item in found.items() if item[1][1])
        plain = [value for (way, weight), (value, _) in found.items() if weight == 0]
        seeds = len({record["seed"] for record in records})
        cells = [task, str(seeds), f"{100 * plain[0]:.1f}" if plain else "–", f"{100 * value:.1f}", f"{best[0]}, λ1 {best[1]:g}",
                 f"{100 * own:.1f}", f"{chosen[0]}, λ1 {chosen[1]:g}", f"{100 * (value - own):.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    automatic_lines = ["| task | seeds | automatic λ1 | % |", "|---|---|---|---|"]
    for task in TASKS:
        if records := [r for r in known(place) if r["task"] == task and r["way"] == "automatic"]:
            weights = " and ".join(f"{r['lambda1']:.2g}" for r in records)
            mean = 100 * statistics.mean(r["value"] for r in records)
            automatic_lines.append(f"| {task} | {len(records)} | {weights} | {mean:.1f} |")
    (laboratory.RESULTS / "sweeps.md").write_text(
        "# What a sweep recommends against the best of its models\n\n"
        f"The mean of the seeds; the ways {WAYS} with the weights {WEIGHTS} by decade (`Benchmarks/experiments/sweeps.py`), of the "
        "second line of places without rrr, which no seed of the first took. The sweep judges by a fifth of its own training samples; the figures here are of "
        "test sets, the worst group for places.\n\n" + "\n".join(lines) + "\n\n## The automatic weight\n\n"
        "Where `--lambda1 auto` lands with the penalty of Σ log p, and what its models reach there; the weights differ by seed.\n\n"
        + "\n".join(automatic_lines) + f"\n\nRun on {laboratory.machine()}.\n")
    place.close()


if __name__ == "__main__":
    main()
