"""What one writes today to get images, labels, index and A[index], shuffled, in batches of 256.

    python torch_streams.py PEER DATASET.h5 MASKS.h5 FOLDER

Prints samples a second of one epoch after a first one that is not counted, and peers that need another form of the data
make it in FOLDER.
"""

import pathlib
import sys
import time

import h5py
import numpy

BATCH = 256


def arrays(dataset, masks):
    with h5py.File(dataset) as file, h5py.File(masks) as other:
        return file["images"][:], file["labels"][:], other["A"][:][other["row"][:]]


def torch_loader(dataset, masks, workers, batched, in_memory=True):
    """A DataLoader over arrays in memory or over the open file; `batched` samplers hand over whole lists."""
    import torch
    from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler

    class Samples(Dataset):
        def __init__(self):
            self.file = None
            if in_memory:
                self.images, self.labels, self.masks = map(torch.from_numpy, arrays(dataset, masks))
            with h5py.File(dataset) as file:
                self.count = len(file["images"])

        def __len__(self):
            return self.count

        def __getitem__(self, index):
            if in_memory:
                # The batched sampler gives a list.
                index = torch.as_tensor(index)
                return self.images[index].float().div_(255), self.labels[index], index, self.masks[index]
            if self.file is None:
                self.file, self.other = h5py.File(dataset), h5py.File(masks)
                self.labels, self.rows = self.file["labels"][:], self.other["row"][:]
            image = torch.from_numpy(self.file["images"][index]).float().div_(255)
            return image, self.labels[index], index, torch.from_numpy(self.other["A"][self.rows[index]])

    samples = Samples()
    more = dict(num_workers=workers, persistent_workers=workers > 0)
    if batched:
        sampler = BatchSampler(RandomSampler(samples), BATCH, drop_last=False)
        return DataLoader(samples, sampler=sampler, batch_size=None, **more)
    return DataLoader(samples, batch_size=BATCH, shuffle=True, **more)


def slicing(dataset, masks):
    """The fastest loop in PyTorch: tensors in memory, indexed by a permutation."""
    import torch
    images, labels, all_masks = map(torch.from_numpy, arrays(dataset, masks))

    class Epochs:
        def __iter__(self):
            for index in torch.randperm(len(images)).split(BATCH):
                yield images[index].float().div_(255), labels[index], index, all_masks[index]
    return Epochs()


def webdataset(dataset, masks, folder):
    import webdataset
    images, labels, all_masks = arrays(dataset, masks)
    path = pathlib.Path(folder) / "samples.tar"
    if not path.exists():
        with webdataset.TarWriter(str(path)) as writer:
            for index in range(len(images)):
                writer.write({"__key__": f"{index:09}", "image.npy": images[index], "mask.npy": all_masks[index],
                              "cls": int(labels[index]), "index": str(index)})
    def scaled(sample):
        image, label, index, mask = sample
        return image.astype("f4") / 255, label, int(index), mask
    return webdataset.WebDataset(str(path), shardshuffle=False).shuffle(1000).decode().to_tuple(
        "image.npy", "cls", "index", "mask.npy").map(scaled).batched(BATCH)


def grain(dataset, masks):
    import grain.python
    images, labels, all_masks = arrays(dataset, masks)

    class Source:
        def __len__(self):
            return len(images)

        def __getitem__(self, index):
            return images[index].astype("f4") / 255, labels[index], index, all_masks[index]
    return grain.python.MapDataset.source(Source()).shuffle(seed=0).batch(BATCH)


def huggingface(dataset, masks):
    import datasets
    images, labels, all_masks = arrays(dataset, masks)
    kinds = datasets.Features({
        "image": datasets.Array3D(images.shape[1:], "uint8"), "label": datasets.Value("int64"),
        "index": datasets.Value("int64"), "mask": datasets.Array3D(all_masks.shape[1:], "uint8")})
    table = datasets.Dataset.from_dict(
        {"image": images, "label": labels, "index": numpy.arange(len(images)), "mask": all_masks}, features=kinds)

    class Epochs:
        def __iter__(self):
            for batch in table.with_format("numpy").shuffle(seed=0).iter(BATCH):
                yield batch["image"].astype("f4") / 255, batch["label"], batch["index"], batch["mask"]
    return Epochs()


def image_folder(folder, workers, decoder):
    """torchvision's folder of class folders, whose PNGs Pillow or torchvision decodes, as they stand."""
    from PIL import Image
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.io import decode_image
    from torchvision.transforms.functional import to_tensor

    def by_pillow(path):
        with Image.open(path) as image:
            return to_tensor(image)

    def by_torchvision(path):
        return decode_image(path).float().div_(255)
    samples = ImageFolder(folder, loader=by_pillow if decoder == "Pillow" else by_torchvision)
    return DataLoader(samples, batch_size=BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0)


def photographs(folder, workers, decoder):
    """torchvision's folder of JPEGs with its crop for training: a random part of random proportions, at 224×224."""
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.datasets import ImageFolder
    from torchvision.io import decode_image
    from torchvision.transforms import v2
    if decoder == "Pillow":
        samples = ImageFolder(folder, transforms.Compose([transforms.RandomResizedCrop(224), transforms.ToTensor()]))
    else:
        crop = v2.RandomResizedCrop(224)
        samples = ImageFolder(folder, lambda image: crop(image).float().div_(255), loader=decode_image)
    return DataLoader(samples, batch_size=32, shuffle=True, num_workers=workers, persistent_workers=workers > 0)


def ffcv(dataset, masks, folder):
    """FFCV's own file with raw arrays, kept in memory, in its full random order; it needs OpenCV's and libturbojpeg's
    headers to install."""
    from ffcv.fields import IntField, NDArrayField
    from ffcv.fields.decoders import IntDecoder, NDArrayDecoder
    from ffcv.loader import Loader, OrderOption
    from ffcv.transforms import Squeeze, ToTensor
    from ffcv.writer import DatasetWriter
    images, labels, all_masks = arrays(dataset, masks)
    path = pathlib.Path(folder) / "samples.beton"

    class Samples:
        def __len__(self):
            return len(images)

        def __getitem__(self, index):
            return images[index], int(labels[index]), index, all_masks[index]
    if not path.exists():
        DatasetWriter(str(path), {
            "image": NDArrayField(images.dtype, images.shape[1:]), "label": IntField(), "index": IntField(),
            "mask": NDArrayField(all_masks.dtype, all_masks.shape[1:])}, num_workers=1).from_indexed_dataset(Samples())
    number = [IntDecoder(), ToTensor(), Squeeze()]
    loader = Loader(str(path), batch_size=BATCH, num_workers=2, order=OrderOption.RANDOM, os_cache=True, pipelines={
        "image": [NDArrayDecoder(), ToTensor()], "label": number, "index": number[:],
        "mask": [NDArrayDecoder(), ToTensor()]})

    class Epochs:
        def __iter__(self):
            for image, label, index, mask in loader:
                yield image.float().div_(255), label, index, mask
    return Epochs()


PEERS = {
    "PyTorch slicing in memory": lambda d, m, f: slicing(d, m),
    "DataLoader, 0 workers": lambda d, m, f: torch_loader(d, m, 0, False),
    "DataLoader, 2 workers": lambda d, m, f: torch_loader(d, m, 2, False),
    "DataLoader, batched sampler, 0 workers": lambda d, m, f: torch_loader(d, m, 0, True),
    "DataLoader, batched sampler, 2 workers": lambda d, m, f: torch_loader(d, m, 2, True),
    "h5py, DataLoader, 0 workers": lambda d, m, f: torch_loader(d, m, 0, False, in_memory=False),
    "h5py, DataLoader, 2 workers": lambda d, m, f: torch_loader(d, m, 2, False, in_memory=False),
    **{f"ImageFolder, {decoder}, DataLoader, {workers} workers":
       lambda d, m, f, workers=workers, decoder=decoder: image_folder(d, workers, decoder)
       for decoder in ("Pillow", "torchvision") for workers in (0, 2)},
    **{f"RandomResizedCrop, {decoder}, {workers} workers":
       lambda d, m, f, workers=workers, decoder=decoder: photographs(d, workers, decoder)
       for decoder in ("Pillow", "torchvision") for workers in (0, 2)},
    "WebDataset": webdataset,
    "FFCV": ffcv,
    "Grain": lambda d, m, f: grain(d, m),
    "Hugging Face datasets": lambda d, m, f: huggingface(d, m),
}


def main():
    peer, dataset, masks, folder = sys.argv[1:]
    batches = PEERS[peer](dataset, masks, folder)
    for _ in range(2):
        start, count = time.perf_counter(), 0
        for batch in batches:
            count += len(batch[1])
        rate = count / (time.perf_counter() - start)
    print(rate)


if __name__ == "__main__":
    main()
