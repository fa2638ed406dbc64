"""Times training steps of rrdata, PyTorch and JAX in turn, and writes the table of Benchmarks/results/engine.md.

    make bench-engine

All three hold the same networks and batches of the same shape, in float on two threads. They are asked for a few
steps in turn, in rounds, while the others wait; each time more steps come first, uncounted, since caches and threads
have gone cold: two, or as many as take some tens of milliseconds. A figure is the median of 30 steps.
"""

import argparse
import json
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


class Peer:
    """A process that answers a line of request with a line of milliseconds."""

    def __init__(self, name, *command):
        # Threads that wait shall not take the processor from whoever is measured.
        environment = dict(os.environ, OMP_WAIT_POLICY="passive", JAX_PLATFORMS="cpu")
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

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
    size, rates, times = 2048, [], {}
    for _ in range(ROUNDS):
        rates += [2 * size**3 / milliseconds / 1e6 for milliseconds in torch.ask("product", size)]
        for name in SIZES:
            for lambda1 in (10, 0):
                steps = ours.ask(name, SIZES[name], lambda1, 1.0, WARMING[name] + STEPS)[WARMING[name]:]
                times.setdefault((name, lambda1), []).extend(steps)
    rate = statistics.median(rates)
    lines = [
        f"A product of two matrices of {size}×{size} (PyTorch's sgemm, 2 threads) runs at {rate:.0f} GFLOP/s.", "",
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


def resnet18():
    """ResNet-18 with frozen batch normalisation as a `model.json`; a projection's is folded into its bias."""
    def convolution(outputs, kernel, stride, bias=False):
        options = {"out": outputs, "kernel": kernel, "stride": stride, "padding": kernel // 2, "bias": bias}
        return {"conv2d": options}

    def block(outputs, stride):
        options = {"body": [
            convolution(outputs, 3, stride), "batchnorm2d", "relu", convolution(outputs, 3, 1), "batchnorm2d"]}
        if stride > 1:
            options["projection"] = [convolution(outputs, 1, stride, bias=True)]
        return [{"residual": options}, "relu"]
    layers = [
        convolution(64, 7, 2), "batchnorm2d", "relu", {"maxpool2d": {"kernel": 3, "stride": 2, "padding": 1}}]
    for outputs, stride in [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]:
        layers += block(outputs, stride)
    layers += ["globalavgpool", "flatten", {"linear": {"out": 10}}]
    return {
        "format": "rrdata.model", "format_version": "1.0", "input": [3, 224, 224], "classes": 10, "layers": layers}


def photo_lines(command, rounds=3):
    """Steps of ResNet-18 on 16 photographs by Adam: seconds by the clock / of the processors, and the peak memory of a
    process that makes nothing else."""
    lines = [
        "Photographs, by Adam, medians of steps asked for in turn: seconds by the clock / of the processors, which others "
        "may use too; peak memory of a process that makes nothing else.", "",
        "| ResNet-18, 16 of 3×224×224 | rrdata s | PyTorch s | channels last s | times the faster | target | memory |",
        "|---|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "resnet18.json"
        path.write_text(json.dumps(resnet18()))
        for lambda1, target in [(1, 1.6), (0, 1.0)]:
            peer = FOLDER / "peers" / "torch_engine.py"
            peers = {
                path: Peer("rrdata", command), "resnet18": Peer("PyTorch", sys.executable, peer),
                "resnet18-channels-last": Peer("PyTorch", sys.executable, peer)}
            clock, processors = ({name: [] for name in peers} for _ in range(2))
            for name, process in peers.items():
                process.ask(name, 16, lambda1, 1.0, 1)
            for _ in range(rounds):
                for name, process in peers.items():
                    start = process.processor_seconds()
                    clock[name] += process.ask(name, 16, lambda1, 1.0, 1)
                    processors[name].append(process.processor_seconds() - start)
            clock = [statistics.median(values) / 1e3 for values in clock.values()]
            processors = [statistics.median(values) for values in processors.values()]
            memory = [process.peak_memory() for process in peers.values()]
            cells = [f"{one:.2f} / {other:.2f}" for one, other in zip(clock, processors)]
            ratios = [min(values[1:]) / values[0] for values in (clock, processors)]
            lines.append(
                f"| λ1 = {lambda1} | {cells[0]} | {cells[1]} | {cells[2]} | {ratios[0]:.2f} / {ratios[1]:.2f} | {target} "
                f"| {memory[0]:.0f} MB of {min(memory[1:]):.0f} MB |")
            print(lines[-1], flush=True)
            for process in peers.values():
                process.end()
    return lines


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
            subprocess.run([binary, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
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
        "--photos", action="store_true", help="measure only ResNet-18 on photographs, and print that table")
    parser.add_argument("--output", type=pathlib.Path, default=FOLDER / "results" / "engine.md")
    options = parser.parse_args()
    if options.photos:
        print(*photo_lines(options.ours), sep="\n")
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
    more = ["", *limit_lines(ours, torch), "", *growth_lines(ours), "", *photo_lines(options.ours)]
    print(*more, sep="\n")
    lines += more
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    versions = subprocess.run(
        [sys.executable, "-c", "import torch, jax; print('PyTorch', torch.__version__, 'JAX', jax.__version__)"],
        capture_output=True, text=True, check=True).stdout.strip()
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(
        "# Training steps against PyTorch and JAX\n\n"
        f"Made by `make bench-engine` on {os.cpu_count()} cores of {model}, {platform.machine()}; {versions}. "
        f"Medians of {ROUNDS * STEPS} steps, asked for in turn; float, 2 threads, all samples annotated where not "
        "said otherwise.\n\n" + "\n".join(lines) + "\n")


main()
