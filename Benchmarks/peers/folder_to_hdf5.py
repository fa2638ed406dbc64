"""What one writes today: class folders of images to an HDF5 file, by Pillow, OpenCV or torchvision with h5py.

    python folder_to_hdf5.py pillow|opencv|torchvision threads|processes FOLDER OUTPUT.h5 [EXTENT]

With an extent the images are stretched to as many rows and columns, by each library's bilinear filter: Pillow's and
torchvision's are antialiased, OpenCV's default is not. Two workers decode while the caller writes. Prints the seconds from the listing of the folder to the closed file, without
those that Python needed to start.
"""

import concurrent.futures
import os
import sys
import time

import h5py
import numpy

library, mode, folder, output, *extents = sys.argv[1:]
size = (int(extents[0]),) * 2 if extents else None
match library:
    case "pillow":
        from PIL import Image

        def decode(path):
            image = Image.open(path)
            image = numpy.asarray(image.resize(size, Image.Resampling.BILINEAR) if size else image)
            return image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    case "opencv":
        import cv2
        cv2.setNumThreads(1)

        def decode(path):
            image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
            image = cv2.resize(image, size) if size else image
            return image[None] if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB).transpose(2, 0, 1)
    case "torchvision":
        import torch
        from torchvision.io import decode_image
        from torchvision.transforms.v2.functional import resize
        torch.set_num_threads(1)

        def decode(path):
            image = decode_image(path)
            return (resize(image, size, antialias=True) if size else image).numpy()


def decode_all(paths):
    return numpy.stack([decode(path) for path in paths])


def main():
    start = time.perf_counter()
    classes = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    paths, labels = [], []
    for number, name in enumerate(classes):
        files = sorted(entry.path for entry in os.scandir(f"{folder}/{name}"))
        paths += files
        labels += [number] * len(files)
    pool = concurrent.futures.ThreadPoolExecutor if mode == "threads" else concurrent.futures.ProcessPoolExecutor
    count = 64
    blocks = [paths[first:first + count] for first in range(0, len(paths), count)]
    with h5py.File(output, "w") as file, pool(2) as workers:
        images = file.create_dataset("images", (len(paths), *decode(paths[0]).shape), "u1")
        file["labels"] = labels
        for number, block in enumerate(workers.map(decode_all, blocks)):
            images[number * count:number * count + len(block)] = block
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
