"""Fine-tunes a network of torchvision by the explanation loss, in one process or many, and leaves a run that rrdata reads.

    python finetune.py photos.h5 --masks masks.h5 --output run
    torchrun --nproc-per-node 2 finetune.py photos.h5 --masks masks.h5 --output run --resume
"""

import argparse
import os
import time

import torch
import torchvision
from torch.nn.parallel import DistributedDataParallel

import rrdata
from rrdata.torch import RunWriter, explanation_loss, explanation_metrics, lambda1_auto

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("dataset", help="images of three channels")
parser.add_argument("--masks", required=True)
parser.add_argument("--output", required=True, help="the run folder")
parser.add_argument("--network", default="resnet18", help="a name of rrdata train --model and of torchvision")
parser.add_argument("--weights", help="torchvision's, as IMAGENET1K_V1; random ones where none are named")
parser.add_argument("--lambda1", type=float, help="as heavy as the cross-entropy where it is not given")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--batch-size", type=int, default=32, help="of each process")
parser.add_argument("--learning-rate", type=float, default=1e-4)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--amp", action="store_true", help="compute in half precision where it does")
parser.add_argument("--resume", action="store_true", help="go on where an earlier process was stopped")
chosen = parser.parse_args()

world, has_gpu = int(os.environ.get("WORLD_SIZE", 1)), torch.cuda.is_available()
device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if has_gpu else torch.device("cpu")
if world > 1:
    torch.distributed.init_process_group("nccl" if has_gpu else "gloo")
torch.manual_seed(chosen.seed)

dataset = rrdata.Dataset(chosen.dataset, masks=chosen.masks)
stream = rrdata.Stream(
    chosen.dataset, chosen.masks, batch_size=chosen.batch_size, seed=chosen.seed, arrays="torch", pin_memory=has_gpu)
normalization = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
normalize = torchvision.transforms.Normalize(*normalization)

model = getattr(torchvision.models, chosen.network)(weights=chosen.weights)
head = [name for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear)][-1]
model.set_submodule(head, torch.nn.Linear(model.get_submodule(head).in_features, len(dataset.class_names)))
# Batch normalisation stays as it came, as in rrdata train.
model = model.to(device, memory_format=torch.channels_last).eval()
model = DistributedDataParallel(model) if world > 1 else model
lambda1 = lambda1_auto(model, stream, transform=normalize) if chosen.lambda1 is None else chosen.lambda1

optimizer = torch.optim.AdamW(model.parameters(), lr=chosen.learning_rate)
scaler = torch.amp.GradScaler(device.type, enabled=chosen.amp and has_gpu)
parts = {"model": model, "optimizer": optimizer, "scaler": scaler, "stream": stream}
options = {**vars(chosen), "lambda1": lambda1, "batch_size": chosen.batch_size * world, "seed": str(chosen.seed)}
writer = RunWriter(
    chosen.output, dataset, chosen.network, options=options, normalization=normalization, resume=chosen.resume)
step = first_epoch = 0
if chosen.resume and (kept := writer.load()):
    step, first_epoch = kept["step"], kept["epoch"]
    for name, part in parts.items():
        part.load_state_dict(kept[name])

for epoch in range(first_epoch, chosen.epochs):
    last = time.perf_counter()
    for images, labels, index, masks, annotated in stream:
        waited = time.perf_counter() - last
        images, labels, masks = (part.to(device, non_blocking=True) for part in (images, labels, masks))
        images = normalize(images).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, enabled=chosen.amp):
            outcome = explanation_loss(model, images, labels, masks, lambda1, annotated=annotated)
        optimizer.zero_grad()
        scaler.scale(outcome.loss).backward()
        scaler.step(optimizer)
        scaler.update()
        now = time.perf_counter()
        writer.step(epoch, step, outcome, learning_rate=chosen.learning_rate, seconds=now - last, seconds_waiting=waited)
        step, last = step + 1, now
    writer.epoch(epoch)
    writer.save({"step": step, "epoch": epoch + 1, **{name: part.state_dict() for name, part in parts.items()}})

if "test" in (dataset.split_names or []):
    test = rrdata.Stream(chosen.dataset, chosen.masks, batch_size=64, shuffle=False, split="test", arrays="torch")
    figures = explanation_metrics(model, test, normalization=normalization)
    if writer.is_first:
        print(f"test: accuracy {figures['accuracy']:.1%}, {figures['gradient_share_inside_mask']:.1%} of |gradient| inside A")
writer.finish(model)
if world > 1:
    torch.distributed.destroy_process_group()
