"""Writes order.json: batches of streams with every option of order, computed by a second implementation.

The definition is in RRStreaming.docc/stream-order.md, version 1. The samples are those of the tests: sample i has the
label i mod 3, belongs to split i mod 2 of train and test, and is annotated unless i mod 5 is 4.
Run: python3 Fixtures/streaming/order.py
"""

import json
import math
import pathlib
import random
import zlib

from permutation import GOLDEN, WORD, mix, permutation


def pool_row(rows, draws_per_epoch, seed, number, draw, epoch):
    seed = mix((seed + (number + 1) * GOLDEN) & WORD)
    t = (epoch * draws_per_epoch + draw) & WORD
    return rows[permutation(len(rows), seed, t // len(rows))(t % len(rows))]


def share(fraction, count):
    return min(count, math.floor(fraction * count + 0.5))


def epoch_order(rows, c, epoch):
    """Gives the rows of an epoch, position by position."""
    count, seed = len(rows), c["seed"]
    if not c["shuffle"]:
        return list(rows)
    index = permutation(count, seed, epoch)
    if c["balance"] is not None:
        groups = [[r for r in rows if r % 3 == k] for k in range(3)]
        weights = c["balance"] if isinstance(c["balance"], list) else [1.0 if g else 0.0 for g in groups]
        exact = [count * w / sum(weights) for w in weights]
        draws = [math.floor(e) for e in exact]
        order = sorted((k for k in range(3) if weights[k] > 0), key=lambda k: (-(exact[k] - math.floor(exact[k])), k))
        for k in order[:count - sum(draws)]:
            draws[k] += 1
        result = []
        for position in range(count):
            slot, k = index(position), 0
            while slot >= draws[k]:
                slot, k = slot - draws[k], k + 1
            result.append(pool_row(groups[k], draws[k], seed, k, slot, epoch))
        return result
    if c["annotated_fraction"] is not None:
        size, fraction = c["batch_size"], c["annotated_fraction"]
        pools = [[r for r in rows if r % 5 != 4], [r for r in rows if r % 5 == 4]]
        lengths = [min(size, count - start) for start in range(0, count, size)]
        shares = [share(fraction, n) for n in lengths]
        draws = [sum(shares), count - sum(shares)]
        result = []
        for block, (n, s) in enumerate(zip(lengths, shares)):
            arrangement = permutation(n, mix(~seed & WORD), epoch * len(lengths) + block)
            before = sum(shares[:block])
            for place in range(n):
                slot = arrangement(place)
                pool, draw = (0, before + slot) if slot < s else (1, block * size - before + slot - s)
                result.append(pool_row(pools[pool], draws[pool], seed, pool, draw, epoch))
        return result
    return [rows[index(p)] for p in range(count)]


def chosen(c):
    rows = [r for r in range(c["count"]) if c["split"] == "all" or ["train", "test"][r % 2] == c["split"]]
    if c["ids_below"] is not None:
        rows = [r for r in rows if r * 7 % 10 < c["ids_below"]]
    return [r for r in rows if not c["annotated_only"] or r % 5 != 4]


def batches(c, world, rank, start):
    """Gives (rows, next epoch, next position) of each batch of a rank; -1 is a padded sample."""
    rows = chosen(c)
    count, size = len(rows), c["batch_size"]
    epoch, position = start
    result = []
    while epoch < c["epochs"]:
        order = epoch_order(rows, c, epoch)
        while position < count:
            step = order[position:position + size * world]
            if len(step) < size * world and c["drop_last"]:
                break
            longest = -(-len(step) // world)
            mine = step[rank::world]
            position += size * world
            rest = count - position
            at_end = rest < size * world if c["drop_last"] else rest <= 0
            after = (epoch + 1, 0) if at_end else (epoch, position)
            result.append((mine + [-1] * (longest - len(mine)), *after))
        epoch, position = epoch + 1, 0
    return result


def combination(rng):
    while True:
        kind = rng.choice(["plain", "plain", "plain", "balance", "annotated_fraction"])
        c = {
            "count": rng.randint(1, 40), "batch_size": rng.randint(1, 12), "world": rng.randint(1, 5),
            "epochs": rng.randint(1, 3), "shuffle": kind != "plain" or rng.random() < 0.7,
            "seed": rng.getrandbits(63), "drop_last": rng.random() < 0.5,
            "split": rng.choice(["all", "all", "train", "test"]),
            "balance": rng.choice(["equal", [1.0, 2.0, 0.5], [0.0, 1.0, 3.0]]) if kind == "balance" else None,
            "annotated_fraction": rng.choice([0.25, 0.5, 0.9, 1.0]) if kind == "annotated_fraction" else None,
            "annotated_only": kind != "annotated_fraction" and rng.random() < 0.25,
            "ids_below": rng.choice([None, None, 7]),
        }
        rows = chosen(c)
        if not rows:
            continue
        if c["balance"] is not None and len({r % 3 for r in rows}) < 3:
            continue
        if kind == "annotated_fraction" and len({r % 5 == 4 for r in rows}) < 2:
            continue
        return c


if __name__ == "__main__":
    rng = random.Random(5)
    cases = []
    for _ in range(200):
        c = combination(rng)
        ranks = [batches(c, c["world"], r, (0, 0)) for r in range(c["world"])]
        c["batches"] = len(ranks[0])
        # All ranks' rows, rank by rank, as int64; and one batch to read.
        flat = [row for rank in ranks for batch in rank for row in batch[0]]
        c["crc32"] = zlib.crc32(b"".join(row.to_bytes(8, "little", signed=True) for row in flat))
        if ranks[0]:
            c["rank"], c["batch"] = rng.randrange(c["world"]), rng.randrange(len(ranks[0]))
            c["rows"], *c["next"] = ranks[c["rank"]][c["batch"]]
            # From there on with another number of ranks.
            c["other_world"] = rng.randint(1, 5)
            rest = [batches(c, c["other_world"], r, tuple(c["next"])) for r in range(c["other_world"])]
            flat = [row for rank in rest for batch in rank for row in batch[0]]
            c["rest_crc32"] = zlib.crc32(b"".join(row.to_bytes(8, "little", signed=True) for row in flat))
        cases.append(c)
    text = "[\n" + ",\n".join("  " + json.dumps(c) for c in cases) + "\n]\n"
    pathlib.Path(__file__).with_suffix(".json").write_text(text)
