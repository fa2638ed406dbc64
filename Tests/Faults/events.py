"""What TensorBoard makes of the event files of a folder, and whether they end with a whole record."""

import struct

# The polynomial of CRC-32C, its bits in reverse order.
POLYNOMIAL = 0x82F63B78
TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    TABLE.append(byte)


def checksum(data):
    """The masked CRC-32C that stands behind a length and behind a message."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def messages(data):
    """The messages of a file, and how many bytes behind the last whole one are of no record."""
    found, place = [], 0
    while place + 12 <= len(data):
        head = data[place:place + 8]
        length, = struct.unpack("<Q", head)
        end = place + 16 + length
        if end > len(data):
            break
        message = data[place + 12:end - 4]
        sums = struct.unpack("<I", data[place + 8:place + 12]) + struct.unpack("<I", data[end - 4:end])
        if sums != (checksum(head), checksum(message)):
            break
        found.append(message)
        place = end
    return found, len(data) - place


def fields(message):
    """The fields of a message of protobuf, by number, as bytes or integers."""
    place = 0

    def number():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
            continue
        size = {1: 8, 5: 4}.get(key & 7) or number()
        yield key >> 3, message[place:place + size]
        place += size


class Events:
    """The event files of a folder: what they tell by name and step, and those of them that do not end with a whole record."""

    def __init__(self, folder):
        self.scalars, self.broken = {}, []
        for path in sorted(folder.glob("events.out.tfevents.*")):
            found, rest = messages(path.read_bytes())
            if rest or not found:
                self.broken.append(f"{path.name} ({rest} bytes of no record)" if rest else f"{path.name} (empty)")
            for message in found:
                self.add(dict(fields(message)))

    def add(self, event):
        step = event.get(2, 0)
        # A process that was started again tells anew of the steps from here on.
        if 7 in event:
            self.scalars = {key: value for key, value in self.scalars.items() if key[1] < step}
        for _, value in fields(event.get(5, b"")):
            scalar = dict(fields(value))
            name = scalar[1].decode()
            if "seconds" not in name:
                self.scalars[name, step] = struct.unpack("<f", scalar[2])[0] if 2 in scalar else 0.0
