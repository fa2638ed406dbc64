"""Writes tar/members.tar: members without owner and time, one with a name of more than 100 bytes."""

import io
import pathlib
import tarfile

folder = pathlib.Path(__file__).parent / "tar"
folder.mkdir(exist_ok=True)
with tarfile.open(folder / "members.tar", "w", format=tarfile.PAX_FORMAT) as archive:
    for name, content in [
        ("a%2Fb.png", bytes(range(256)) * 3),
        ("a%2Fb.cls", b"7"),
        ("k" * 96 + ".cls", b""),
        ("k" * 97 + ".cls", b"x" * 512),
        ("n" * 1000 + ".mask.png", b"y" * 511),
    ]:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
