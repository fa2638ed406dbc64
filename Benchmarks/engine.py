"""Times training steps of rrdata, PyTorch and JAX in turn, and writes the tables of Benchmarks/results/engine.md and, of
torchvision's networks on photographs, that of networks.md.

    make bench-engine
    make bench-engine NETWORKS="resnet50 vgg16"  # only these on photographs, which prints their lines

All three hold the same networks and batches of the same shape, in float on two threads. They are asked for a few
steps in turn, in rounds, while the others wait; each time more steps come first, uncounted, since caches and threads
have gone cold: two, or as many as take some tens of milliseconds. A figure is the median of 30 steps.
"""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
ROUNDS, STEPS = 6, 5
SIZES = {"lenet": 256, "mlp": 256, "convnet": 64, "resnet8": 64}
WARMING = {"lenet": 2, "mlp": 100, "convnet": 2, "resnet8": 2}
# The work, λ1, the annotated share, and how many times as fast as the fastest peer we mean to be.
WORK = [
    ("lenet", 10, 1.0, 2.2), ("mlp", 10, 1.0, 1.5), ("convnet", 10, 1.0, 1.3), ("resnet8", 10, 1.0, 1.3),
    ("lenet", 0, 1.0, 2.0), ("mlp", 0, 1.0, 1.5), ("convnet", 0, 1.0, 1.1), ("resnet8", 0, 1.0, 1.1),
]

# torchvision's networks on photographs: the batch, how many times as fast as PyTorch's better layout with the penalty and
# without we mean to be, in what part of its memory, and λ1. With a fresh network's λ1 of 1 most products of the penalty are
# no normal numbers, on which a processor takes several times as long, ours alone: PyTorch counts them as zero.
PHOTOS = {
    "resnet18": (16, (1.6, 1.0), 0.5, 10**6), "resnet50": (8, (1.5, 1.0), 0.5, 10**6), "vgg16": (8, (1.5, 1.0), 0.5, 10**6),
    "densenet121": (8, (1.8, 1.0), 0.4, 10**6), "mobilenet_v2": (16, (2.2, 1.1), 0.4, 10**12),
    "efficientnet_b0": (8, (2.2, 1.1), 0.4, 10**12),
}
PHOTO_HEADING = "## Speed and memory on photographs"

# The multiplications of a forward pass of one sample, layer by layer: outputs times what each sums over.
MULTIPLICATIONS = {
    "lenet": [20 * 24**2 * 25, 50 * 8**2 * 500, 256 * 800, 10 * 256],
    "mlp": [50 * 784, 30 * 50, 10 * 30],
    "convnet": [32 * 32**2 * 27, 32 * 32**2 * 288, 64 * 16**2 * 288, 64 * 16**2 * 576, 256 * 4096, 10 * 256],
    "resnet8": [
        16 * 32**2 * 27, 16 * 32**2 * 144, 16 * 32**2 * 144, 32 * 16**2 * 144, 32 * 16**2 * 288, 32 * 16**2 * 16,
        64 * 8**2 * 288, 64 * 8**2 * 576, 64 * 8**2 * 32, 10 * 64],
}


def operations(name, lambda1):
    """The additions and multiplications of a step: three passes with one product for each layer, of which the last
    needs no product for the first layer's input, and twice as many (that one again left out) with the penalty."""
    layers = MULTIPLICATIONS[name]
    return 2 * SIZES[name] * ((6 if lambda1 else 3) * sum(layers) - layers[0])


# Threads that wait shall not take the processor from whoever is measured, and OpenBLAS takes the kernels of its choice.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")} | {
    "OMP_WAIT_POLICY": "passive", "JAX_PLATFORMS": "cpu"}


class Peer:
    """A process that answers a line of request with a line of milliseconds."""

    def __init__(self, name, *command):
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)

    def ask(self, *request):
        self.process.stdin.write(" ".join(map(str, request)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.name} ended without an answer to {request}")
        return [float(value) for value in answer.split()]

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def processor_seconds(self):
        """The time of all its threads so far, which tells more than a clock where others use the machine."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_memory(self):
        """The largest resident memory so far, in MB."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1000


def medians(peers, name, lambda1, annotated):
    """The median of 30 steps of each peer, asked in turn."""
    request = (name, SIZES[name], lambda1, annotated)
    times = {peer.name: [] for peer in peers}
    for _ in range(ROUNDS):
        for peer in peers:
            times[peer.name] += peer.ask(*request, WARMING[name] + STEPS)[WARMING[name]:]
    return {name: statistics.median(values) for name, values in times.items()}


def limit_lines(ours, torch):
    """How far a step is from the rate of a large matrix product on the same cores, in one run with it."""
    rates, times = [], {}
    for _ in range(ROUNDS):
        rates.append(product_rate(torch))
        for name in SIZES:
            for lambda1 in (10, 0):
                steps = ours.ask(name, SIZES[name], lambda1, 1.0, WARMING[name] + STEPS)[WARMING[name]:]
                times.setdefault((name, lambda1), []).extend(steps)
    rate = statistics.median(rates)
    lines = [
        f"A product of two matrices of 2048×2048 (PyTorch's sgemm, 2 threads) runs at {rate:.0f} GFLOP/s.", "",
        "| work | GFLOP a step | GFLOP/s | of the product's rate |", "|---|---|---|---|"]
    for (name, lambda1), steps in times.items():
        work = operations(name, lambda1) / 1e9
        speed = work / statistics.median(steps) * 1e3
        lines.append(f"| `{name}`, λ1 = {lambda1} | {work:.2f} | {speed:.0f} | {speed / rate:.2f} |")
    return lines


def growth_lines(ours):
    """How the time of a step with the penalty grows with the batch, the image and the threads."""
    def row(name, batch, side, threads):
        times = []
        for _ in range(ROUNDS):
            times += ours.ask(name, batch, 10, 1.0, WARMING[name] + STEPS, side, threads)[WARMING[name]:]
        step = statistics.median(times)
        return (f"| `{name}` | {batch} | {side}×{side} | {threads} | {step:.1f} | {step / batch * 1e3:.0f} "
                f"| {step * threads / batch / side**2 * 1e6:.0f} |")
    lines = [
        "| network | batch | image | threads | ms a step | µs a sample | ns a pixel and thread |",
        "|---|---|---|---|---|---|---|"]
    lines += [row("lenet", batch, 28, 2) for batch in (16, 32, 64, 128, 256, 512, 1024)]
    lines += [row("resnet8", 64, side, 2) for side in (16, 32, 64, 96)]
    lines += [row("convnet", 64, 32, threads) for threads in (1, 2)]
    return lines


def busy_lines(peers):
    """The shortest step beside processes that want a core each for good."""
    lines = ["| `mlp`, batch 256, beside | rrdata ms | PyTorch ms | JAX ms | times the faster than PyTorch | than JAX |",
             "|---|---|---|---|---|---|"]
    for count in (0, 1, 2):
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
        try:
            for lambda1 in (10, 0):
                times = {peer.name: [] for peer in peers}
                # Where the system lets whom run lasts for longer than a round.
                for _ in range(3 * ROUNDS):
                    for peer in peers:
                        times[peer.name] += peer.ask("mlp", SIZES["mlp"], lambda1, 1.0, 400)[WARMING["mlp"]:]
                mean, middle = ({name: of(values) for name, values in times.items()}
                                for of in (statistics.mean, statistics.median))
                cells = [f"{mean[peer.name]:.2f}, {middle[peer.name]:.2f}" for peer in peers]
                ratios = [f"{mean[name] / mean['rrdata']:.2f}, {middle[name] / middle['rrdata']:.2f}"
                          for name in ("PyTorch", "JAX")]
                label = ["no busy process", "one busy process", "two busy processes"][count]
                lines.append(f"| {label}, λ1 = {lambda1} | {' | '.join(cells + ratios)} |")
        finally:
            for other in others:
                other.kill()
    return lines


def thread_lines(ours):
    """How many times as fast two threads are as one."""
    lines = ["| network, batch | λ1 | 1 thread ms | 2 threads ms | times as fast |", "|---|---|---|---|---|"]
    works = [(name, batch, 32 if name in ("convnet", "resnet8") else 28, 10, STEPS + WARMING[name])
             for name, batch in SIZES.items()]
    works += [(name, batch, 224, lambda1, 1) for name, (batch, _, _, lambda1) in PHOTOS.items()]
    for name, batch, side, lambda1, steps in works:
        for weight in (lambda1, 0):
            times = {1: [], 2: []}
            for number in range(ROUNDS):
                for threads in times:
                    measured = ours.ask(name, batch, weight, 1.0, steps, side, threads)
                    # The first round makes the network.
                    times[threads] += measured[WARMING.get(name, 0):] if number > 0 else []
            one, two = (statistics.median(values) for values in times.values())
            lines.append(f"| `{name}`, {batch} | {weight} | {one:.2f} | {two:.2f} | {one / two:.2f} |")
    return lines


def product_rate(peer):
    """GFLOP/s of a large matrix product by PyTorch."""
    size = 2048
    return statistics.median(2 * size**3 / milliseconds / 1e6 for milliseconds in peer.ask("product", size))


def photo_row(command, name, lambda1, rounds):
    """The table's line of one network on photographs; every process is new, and makes nothing else."""
    batch, targets, memory_target, _ = PHOTOS[name]
    torch_peer = (sys.executable, FOLDER / "peers" / "torch_engine.py")
    peers = {
        "rrdata": Peer("rrdata", command), name: Peer("PyTorch", *torch_peer),
        f"{name}-channels-last": Peer("PyTorch", *torch_peer)}
    requests = {key: (name if key == "rrdata" else key, batch, lambda1, 1.0, 1, 224, 2) for key in peers}
    clock, processors = ({key: [] for key in peers} for _ in range(2))
    # Once uncounted. PyTorch's libraries take memory before there is a network.
    libraries = 0
    for key, peer in peers.items():
        if key != "rrdata":
            peer.ask("nothing", 0)
            libraries = peer.peak_memory()
        peer.ask(*requests[key])
    for _ in range(rounds):
        for key, peer in peers.items():
            start = peer.processor_seconds()
            clock[key] += peer.ask(*requests[key])
            processors[key].append(peer.processor_seconds() - start)
    clock = [statistics.median(values) / 1e3 for values in clock.values()]
    processors = [statistics.median(values) for values in processors.values()]
    memory = [peer.peak_memory() for peer in peers.values()]
    # After the memory is known: the product's matrices, and a second network to count.
    rate = product_rate(peers[name])
    all_layers, first_layer = peers[name].ask("multiplications", name)
    work = 2e-9 * batch * ((6 if lambda1 else 3) * all_layers - first_layer)
    for peer in peers.values():
        peer.end()
    cells = [f"{one:.2f} / {other:.2f}" for one, other in zip(clock, processors)]
    ratios = [min(values[1:]) / values[0] for values in (clock, processors)]
    peer_memory = min(memory[1:]) - libraries
    return (
        f"| `{name}`, {batch}, λ1 = {lambda1} | {' | '.join(cells)} | {ratios[0]:.2f} / {ratios[1]:.2f} "
        f"| {targets[0 if lambda1 else 1]} | {memory[0]:.0f} MB, {peer_memory:.0f} MB + {libraries:.0f} MB "
        f"| {memory[0] / peer_memory:.2f} | {memory_target} | {work / clock[0] / rate:.2f} |")


def photo_lines(command, names, weights=None, rounds=3):
    """Steps of torchvision's networks on photographs by Adam; without weights, with the usual one of each and without."""
    lines = [
        "Photographs of 3×224×224, by Adam, two threads, batch normalisation frozen on both sides; medians of steps asked for",
        "in turn: seconds by the clock / of the processors, which others may use too. PyTorch's memory is that of its leaner",
        "layout, its libraries apart; ours is compared with it without them. The last column is the rate of multiplications and",
        "additions of convolutions and linear layers over that of PyTorch's sgemm.", "",
        "| network, batch | rrdata s | PyTorch s | channels last s | times the faster | target | memory: rrdata, PyTorch "
        "| ratio | target | of sgemm |",
        "|---|---|---|---|---|---|---|---|---|---|"]
    print(*lines, sep="\n", flush=True)
    for name in names:
        for lambda1 in weights or (PHOTOS[name][3], 0):
            lines.append(photo_row(command, name, lambda1, rounds))
            print(lines[-1], flush=True)
    return lines


def write_photo_section(lines):
    """Puts the table of photographs in its place in the results of networks."""
    path = FOLDER / "results" / "networks.md"
    before, _, after = path.read_text().partition(PHOTO_HEADING)
    after = after.partition("\n## ")
    path.write_text(before + PHOTO_HEADING + "\n\n" + "\n".join(lines) + "\n" + after[1] + after[2])


def make_masks_seconds(binary, count):
    """The wall time of `rrdata make-masks --top-k 64` with LeNet over `count` images, data and masks on disk."""
    import h5py
    import numpy
    with tempfile.TemporaryDirectory() as folder:
        generator = numpy.random.default_rng(0)
        with h5py.File(f"{folder}/s.h5", "w") as file:
            file["x"] = generator.integers(0, 256, (count, 1, 28, 28), dtype="u1")
            file["y"] = numpy.arange(count) % 10

        def run(*arguments):
            start = time.perf_counter()
            subprocess.run([binary, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
            return time.perf_counter() - start
        run("import", "hdf5", "s.h5", "--images", "x", "--labels", "y", "-o", "d.h5")
        run("train", "d.h5", "--model", "lenet", "--batch-size", "1024", "--epochs", "1", "-o", "run")
        masks = ["make-masks", "d.h5", "--run", "run", "--top-k", "64", "--precision", "float", "-o", "m.h5", "--force"]
        return statistics.median(run(*masks) for _ in range(3))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", required=True, help="the EngineBenchmark executable")
    parser.add_argument("--rrdata", required=True, type=os.path.abspath, help="the rrdata executable")
    parser.add_argument(
        "--photos", nargs="*", choices=list(PHOTOS), metavar="NETWORK",
        help="measure only these of torchvision's networks on photographs, or all, and print that table")
    parser.add_argument(
        "--lambda1", nargs="*", type=int, metavar="LAMBDA1",
        help="with --photos: the penalty's weights that are measured")
    parser.add_argument("--rounds", type=int, default=3, help="with --photos: the steps that are measured of each")
    parser.add_argument("--output", type=pathlib.Path, default=FOLDER / "results" / "engine.md")
    options = parser.parse_args()
    if options.photos is not None:
        photo_lines(options.ours, options.photos or PHOTOS, options.lambda1, options.rounds)
        return
    ours = Peer("rrdata", options.ours)
    torch = Peer("PyTorch", sys.executable, FOLDER / "peers" / "torch_engine.py")
    jax = Peer("JAX", sys.executable, FOLDER / "peers" / "jax_engine.py")

    lines = [
        "| work | rrdata ms | PyTorch ms | JAX ms | times the faster | target |", "|---|---|---|---|---|---|"]
    plain = {}
    for number, (name, lambda1, annotated, target) in enumerate(WORK):
        result = medians([ours, torch, jax], name, lambda1, annotated)
        if number == 0:
            # LeNet alone has run so far.
            memory = (ours.peak_memory(), torch.peak_memory())
        if lambda1 == 0:
            plain[name] = result["rrdata"]
        ratio = min(result["PyTorch"], result["JAX"]) / result["rrdata"]
        label = f"`{name}`, batch {SIZES[name]}, λ1 = {lambda1}"
        lines.append(
            f"| {label} | {result['rrdata']:.2f} | {result['PyTorch']:.2f} | {result['JAX']:.2f} | {ratio:.2f} "
            f"| {target} |")
        print(lines[-1], flush=True)
    lines += ["", "| work | rrdata ms | of its own λ1 = 0 step | target |", "|---|---|---|---|"]
    for annotated, target in [(0.1, 1.3), (0.0, 1.02)]:
        for name in SIZES:
            # Beside the plain step in the same rounds: the machine's speed drifts.
            times = {0: [], 10: []}
            for _ in range(ROUNDS):
                for lambda1 in times:
                    times[lambda1] += ours.ask(
                        name, SIZES[name], lambda1, annotated, WARMING[name] + STEPS)[WARMING[name]:]
            step, base = (statistics.median(times[lambda1]) for lambda1 in (10, 0))
            lines.append(f"| `{name}`, {annotated:.0%} annotated | {step:.2f} | {step / base:.3f} | {target} |")
            print(lines[-1], flush=True)
    seconds = make_masks_seconds(options.rrdata, 60_000)
    peer_seconds = torch.ask("gradient", 60_000)[0] / 1e3
    lines += [
        "", "| work | rrdata | PyTorch | ratio | target |", "|---|---|---|---|---|",
        f"| input gradient and top-64 of 60,000 images, `lenet` | {seconds:.1f} s | {peer_seconds:.1f} s "
        f"| {peer_seconds / seconds:.2f} | 2 |",
        f"| peak memory of a process that trained `lenet` | {memory[0]:.0f} MB | {memory[1]:.0f} MB "
        f"| {memory[1] / memory[0]:.1f} | 5 |",
    ]
    print(*lines[-2:], sep="\n")
    more = ["", *limit_lines(ours, torch), "", *growth_lines(ours), "",
            "Means and medians of milliseconds, beside processes that keep a core busy:", "",
            *busy_lines([ours, torch, jax]), "", *thread_lines(ours)]
    print(*more, sep="\n", flush=True)
    for peer in (ours, torch, jax):
        peer.end()
    write_photo_section(photo_lines(options.ours, PHOTOS))
    lines += more
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    versions = subprocess.run(
        [sys.executable, "-c", "import torch, jax; print('PyTorch', torch.__version__, 'JAX', jax.__version__)"],
        capture_output=True, text=True, check=True).stdout.strip()
    # "kernels on this processor: …" is the last line.
    version = subprocess.run(
        [options.rrdata, "--version"], capture_output=True, text=True, check=True, env=ENVIRONMENT).stdout
    kernels = version.strip().splitlines()[-1].rpartition(": ")[2]
    options.output.parent.mkdir(exist_ok=True)
    # What people have found out of it stays until they change it.
    before = options.output.read_text() if options.output.exists() else ""
    _, heading, findings = before.partition("\n## What does not hold")
    options.output.write_text(
        "# Training steps against PyTorch and JAX\n\n"
        f"Made by `make bench-engine` on {os.cpu_count()} cores of {model}, {platform.machine()}; {versions}; "
        f"our kernels: {kernels}. Medians of {ROUNDS * STEPS} steps, asked for in turn; float, 2 threads, all samples annotated "
        "where not said otherwise.\n\n" + "\n".join(lines) + "\n" + heading + findings)


main()
