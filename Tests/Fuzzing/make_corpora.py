#!/usr/bin/env python3
"""Makes a corpus of small sound files for each reader from Fixtures, and some more by hand.

    python3 Tests/Fuzzing/make_corpora.py FOLDER
"""
import gzip
import pathlib
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Fixtures"
LARGEST = 8 << 10

FROM_FIXTURES = {
    "png": ["formats/png/*.png", "formats/png-faults/*.png", "formats/png-orientations/*.png",
            "formats/png-grid/*.png", "formats/masks/p*/*.png"],
    "jpeg": ["formats/jpeg/*.jpg"],
    "npy": ["formats/npy/*.npy", "formats/npy/types/*.npy"],
    "npz": ["formats/npz/*"],
    "idx": ["formats/idx/*"],
    "gzip": ["formats/idx/*.gz"],
    "weights": ["formats/weights/*", "formats/safetensors/*", "formats/npz/*"],
    "coco": ["formats/masks/*.json"],
    "labelme": ["formats/annotations/labelme/*.json"],
    "cvat": ["formats/annotations/*.xml"],
    "label-studio": ["formats/annotations/label-studio*.json"],
    "yolo": ["formats/annotations/yolo/labels/batch/*.txt"],
    "json": ["reference/*/model.json", "streaming/permutation.json", "formats/masks/runs.json"],
    "model": ["reference/*/model.json"],
}

MODEL = (b'{"format":"rrdata.model","format_version":"1.0","input":[1,8,8],"classes":3,"layers":['
         b'{"conv2d":{"out":2,"kernel":3,"padding":1}},"relu",{"groupnorm":{"groups":1}},'
         b'{"residual":{"body":[{"conv2d":{"out":2,"kernel":1}},"tanh"]}},{"maxpool2d":{"kernel":2}},'
         b'"flatten",{"dropout":{"p":0.5}},{"linear":{"out":3}}]}')

IDX = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(6)

BY_HAND = {
    "json": [MODEL, b'{"a":[1,-2.5e-3,true,false,null,"\\u00e9\\ud83d\\ude00\\n"],"b":{}}', b"[[[[[[0]]]]]]"],
    "model": [MODEL],
    "run": [b'{"format":"rrdata.run","format_version":"1.0","normalization":{"means":[0.5],'
            b'"standard_deviations":[0.25]},"options":{"seed":"0"}}'],
    "cursor": [b'{"format":"rrdata.cursor","format_version":"1.0","order_version":1,"epoch":0,"position":2,"seed":"0",'
               b'"dataset_fingerprint":"0","masks_fingerprint":null,"options":{}}'],
    "coco": [b'{"images":[{"id":1,"file_name":"a.png","height":9,"width":7}],"categories":[{"id":1,"name":"x"}],'
             b'"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[1,2,3,4],"area":12},'
             b'{"id":2,"image_id":1,"segmentation":[[0,0,5,0,5,5.5]]},'
             b'{"id":3,"image_id":1,"segmentation":{"size":[9,7],"counts":[10,5,48]}},'
             b'{"id":4,"image_id":1,"segmentation":{"size":[9,7],"counts":":5`1"}}]}'],
    "brush": [bytes([9, 7, 0, 0, 0, 252, 59, 187, 188, 251, 255])],
    "run-lengths": [b"\x09\x07:5`1", b"\x02\x0204", b"\x10\x10\\`08j2PMQ1"],
    "csv": [b'a,b,"c ""d"""\r\n1,2,3\r\n"x\ny",,\xc3\xa9\r\n', b"\xef\xbb\xbfa;b\n1,5;2\n", b"a\tb\r1\t2\r",
            "a,b\n1,é\n".encode("utf-16"), b"a|b\n1|2\n"],
    "boxes": [b"id,x_min,y_min,x_max,y_max,image_height,image_width\na,1,2,3,4,9,7\nb,,,,,9,7\n",
              b"file_name;x;y;width;height\na.png;1,5;2;3;4\n"],
    "metadata": [b"file_name,label,split,mask_file_name\na.png,x,train,m.png\nb.png,y,test,\n",
                 b"file_name,label,group\na,1.0,2\nb,2.0,3\n"],
    "metadata-lines": [b'{"file_name":"a.png","label":"x","split":"train"}\n{"file_name":"b.png","label":2}\n'],
    "gzip": [gzip.compress(IDX[:9], mtime=0) + gzip.compress(IDX[9:], mtime=0)],
}


def main():
    target = pathlib.Path(sys.argv[1])
    for reader, patterns in FROM_FIXTURES.items():
        folder = target / reader
        folder.mkdir(parents=True, exist_ok=True)
        for pattern in patterns:
            for source in sorted(FIXTURES.glob(pattern)):
                if source.is_file() and source.stat().st_size <= LARGEST:
                    (folder / f"{source.parent.name}-{source.name}").write_bytes(source.read_bytes())
    for reader, texts in BY_HAND.items():
        folder = target / reader
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(texts):
            (folder / f"by-hand-{number}").write_bytes(text)
    # The pickles of PyTorch's files.
    folder = target / "pickle"
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted((FIXTURES / "formats/weights").glob("*.pt*")):
        try:
            with zipfile.ZipFile(source) as archive:
                for name in archive.namelist():
                    if name.endswith("data.pkl"):
                        (folder / source.name).write_bytes(archive.read(name))
        except (zipfile.BadZipFile, OSError):
            continue


main()
