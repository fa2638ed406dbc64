"""What one writes today: class folders of PNGs to an HDF5 file, by Pillow, OpenCV or torchvision with h5py.

    python folder_to_hdf5.py pillow|opencv|torchvision threads|processes FOLDER OUTPUT.h5

Two workers decode while the caller writes. Prints the seconds from the listing of the folder to the closed file, without
those that Python needed to start.
"""

import concurrent.futures
import os
import sys
import time

import h5py
import numpy

library, mode, folder, output = sys.argv[1:]
match library:
    case "pillow":
        from PIL import Image

        def decode(path):
            image = numpy.asarray(Image.open(path))
            return image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    case "opencv":
        import cv2
        cv2.setNumThreads(1)

        def decode(path):
            image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
            return image[None] if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB).transpose(2, 0, 1)
    case "torchvision":
        import torch
        from torchvision.io import decode_image
        torch.set_num_threads(1)

        def decode(path):
            return decode_image(path).numpy()


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
    size = 64
    blocks = [paths[first:first + size] for first in range(0, len(paths), size)]
    with h5py.File(output, "w") as file, pool(2) as workers:
        images = file.create_dataset("images", (len(paths), *decode(paths[0]).shape), "u1")
        file["labels"] = labels
        for number, block in enumerate(workers.map(decode_all, blocks)):
            images[number * size:number * size + len(block)] = block
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
