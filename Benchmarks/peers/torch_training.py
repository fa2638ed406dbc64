"""The best PyTorch script for the work that `Benchmarks/training.py` times: a whole training with the explanation loss.

    python torch_training.py eager|channels_last|compiled DATASET.h5 MASKS.h5 EPOCHS LAMBDA1 OUTPUT

Images, labels and masks are in memory, batches are slices of a permutation (no DataLoader), and the input gradient is
differentiated again; two threads. Writes the weights, and a line of loss terms a step, as rrdata does.
"""

import json
import sys

import h5py
import safetensors.torch
import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(2)
mode, dataset, masks, epochs, lambda1, output = sys.argv[1:]
epochs, lambda1 = int(epochs), float(lambda1)
torch.manual_seed(0)

with h5py.File(dataset) as file, h5py.File(masks) as marks:
    names = [name if isinstance(name, str) else name.decode() for name in file["split"].attrs["split_names"]]
    training = torch.from_numpy(file["split"][:]) == names.index("train")
    images = torch.from_numpy(file["images"][:])[training].float().div_(255)
    labels = torch.from_numpy(file["labels"][:])[training]
    marked = torch.from_numpy(marks["A"][:])[torch.from_numpy(marks["row"][:])[training]].float()

network = nn.Sequential(
    nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10))
if mode == "channels_last":
    network = network.to(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
forward = torch.compile(network) if mode == "compiled" else network

with open(f"{output}.jsonl", "w") as log:
    step = 0
    for epoch in range(epochs):
        for index in torch.randperm(len(images)).split(256):
            x = images[index]
            if mode == "channels_last":
                x = x.contiguous(memory_format=torch.channels_last)
            x.requires_grad_()
            logits = forward(x)
            gradient, = torch.autograd.grad(functional.log_softmax(logits, 1).sum(), x, create_graph=True)
            penalty = (marked[index] * gradient).square().sum() / len(index)
            cross_entropy = functional.cross_entropy(logits, labels[index])
            optimizer.zero_grad()
            (cross_entropy + lambda1 * penalty).backward()
            optimizer.step()
            log.write(json.dumps({"epoch": epoch, "step": step, "cross_entropy": cross_entropy.item(),
                                  "penalty": penalty.item()}) + "\n")
            step += 1
weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
safetensors.torch.save_file(weights, f"{output}.safetensors", metadata={"format": "pt"})
