"""Damages files of many formats, with a seeded random generator, in bytes or in what the bytes mean.

`mutate(kind, data, numbers)` gives a damaged copy. Half of the time it is the structure that is damaged, and lengths,
checksums and trailers are right again after it: most damage would else be found by them, and what lies behind them never
be reached.
"""
import ast
import gzip
import json
import struct
import zlib

NUMBERS = [
    0, 1, 2, 3, 7, 8, 255, 256, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**53, 2**62, 2**63 - 1,
    2**63, 2**64 - 1, 2**64, 10**30,
]


def interesting(numbers, size):
    return numbers.choice(NUMBERS + [size - 1, size, size + 1, size // 2, numbers.randrange(size + 1)])


def mutate_bytes(data, numbers, dictionary=()):
    """Bits, bytes, whole numbers of both orders, blocks taken out, doubled or moved, words of the format, and cuts."""
    data = bytearray(data)
    for _ in range(numbers.choice([1, 1, 1, 2, 3, 8])):
        size = len(data)
        place = numbers.randrange(size + 1)
        if numbers.random() < 0.4:
            place = min(place, numbers.randrange(1, 64))
        place = min(place, size)
        how = numbers.choice(["bit", "byte", "number", "number", "insert", "remove", "repeat", "move", "word", "zeros"])
        if how == "bit" and size:
            data[place % size] ^= 1 << numbers.randrange(8)
        elif how == "byte" and size:
            data[place % size] = numbers.choice([0, 1, 0x7F, 0x80, 0xFF, numbers.randrange(256)])
        elif how == "number":
            width = numbers.choice([2, 4, 8])
            value = interesting(numbers, size) & (1 << 8 * width) - 1
            data[place:place + width] = value.to_bytes(width, numbers.choice(["little", "big"]))
        elif how == "insert":
            data[place:place] = bytes(numbers.randrange(256) for _ in range(numbers.choice([1, 2, 4, 16])))
        elif how == "remove":
            del data[place:place + numbers.choice([1, 2, 4, 16, 64])]
        elif how == "repeat":
            data[place:place] = data[place:place + numbers.choice([1, 4, 16, 256])] * numbers.choice([1, 2, 100])
        elif how == "move":
            block = data[place:place + numbers.choice([4, 16, 64])]
            target = numbers.randrange(size + 1)
            data[target:target + len(block)] = block
        elif how == "word" and dictionary:
            word = numbers.choice(dictionary)
            data[place:place + numbers.choice([0, len(word)])] = word
        elif how == "zeros":
            count = numbers.choice([4, 64, 1024])
            data[place:place + count] = bytes(count)
    if numbers.random() < 0.08:
        del data[numbers.randrange(len(data) + 1):]
    return bytes(data)


# PNG

def png_chunks(data):
    chunks, place = [], 8
    while place + 12 <= len(data):
        length, = struct.unpack_from(">I", data, place)
        chunks.append([data[place + 4:place + 8], data[place + 8:place + 8 + length]])
        place += 12 + length
    return chunks


def png_bytes(chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks)


PNG_CHUNKS = [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"eXIf", b"zTXt", b"iTXt",
              b"tEXt", b"bKGD", b"pHYs", b"sBIT", b"hIST", b"tIME", b"acTL", b"fdAT", b"CgBI", b"cICP"]


def mutate_png(data, numbers):
    chunks = png_chunks(data)
    for _ in range(numbers.choice([1, 1, 2, 4])):
        place = numbers.randrange(len(chunks)) if chunks else 0
        how = numbers.choice(["header", "header", "payload", "payload", "pixels", "remove", "repeat", "new", "type", "split"])
        if not chunks or how == "new":
            kind = numbers.choice(PNG_CHUNKS)
            chunks.insert(place, [kind, bytes(numbers.randrange(256) for _ in range(numbers.choice([0, 1, 3, 13, 40, 800])))])
        elif how == "header" and len(chunks[0][1]) == 13:
            fields = list(struct.unpack(">IIBBBBB", chunks[0][1]))
            field = numbers.randrange(7)
            fields[field] = (numbers.choice(NUMBERS[:14] + [fields[0] + 1, fields[1] * 2, 100, 5000]) & 0xFFFFFFFF
                             if field < 2 else numbers.choice([0, 1, 2, 3, 4, 6, 8, 16, 255]))
            chunks[0][1] = struct.pack(">IIBBBBB", *fields)
        elif how == "payload":
            chunks[place][1] = mutate_bytes(chunks[place][1], numbers)
        elif how == "pixels":
            pixels = b"".join(data for kind, data in chunks if kind == b"IDAT")
            try:
                raw = zlib.decompress(pixels)
            except zlib.error:
                continue
            packed = zlib.compress(mutate_bytes(raw, numbers), numbers.choice([0, 1, 9]))
            where = next(i for i, chunk in enumerate(chunks) if chunk[0] == b"IDAT")
            chunks = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
            chunks.insert(min(where, len(chunks)), [b"IDAT", packed])
        elif how == "remove":
            del chunks[place]
        elif how == "repeat":
            chunks[place:place] = [list(chunks[place])] * numbers.choice([1, 2, 50])
        elif how == "type":
            chunks[place][0] = numbers.choice(PNG_CHUNKS)
        elif how == "split":
            kind, payload = chunks[place]
            cut = numbers.randrange(len(payload) + 1)
            chunks[place:place + 1] = [[kind, payload[:cut]], [kind, b""], [kind, payload[cut:]]]
    return png_bytes(chunks)


# JPEG

JPEG_MARKERS = bytes([0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC9, 0xCC, 0xD8, 0xDA, 0xDB, 0xDC, 0xDD, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE])


def jpeg_segments(data):
    """The segments before the first scan, a marker and what follows its length, and all from that scan on."""
    segments, place = [], 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        length, = struct.unpack_from(">H", data, place + 2)
        segments.append([data[place + 1], data[place + 4:place + 2 + length]])
        place += 2 + length
    return segments, data[place:]


def jpeg_bytes(segments, scans):
    return b"\xff\xd8" + b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", min(len(data) + 2, 0xFFFF)) + data[:0xFFFD]
        for marker, data in segments) + scans


def mutate_jpeg(data, numbers):
    segments, scans = jpeg_segments(data)
    for _ in range(numbers.choice([1, 1, 2, 4])):
        place = numbers.randrange(len(segments))
        how = numbers.choice(["frame", "frame", "payload", "payload", "scans", "scans", "remove", "repeat", "type", "swap"])
        if how == "frame":
            frame = next((segment for segment in segments if 0xC0 <= segment[0] <= 0xC2 and len(segment[1]) > 5), None)
            if frame is None:
                continue
            fields = bytearray(frame[1])
            field = numbers.randrange(len(fields))
            fields[field] = numbers.choice([0, 1, 2, 3, 4, 8, 0x11, 0x14, 0x22, 0x41, 12, 127, 255])
            frame[1] = bytes(fields)
        elif how == "payload":
            segments[place][1] = mutate_bytes(segments[place][1], numbers)
        elif how == "scans":
            scans = mutate_bytes(scans, numbers, [b"\xff\xd0", b"\xff\xd7", b"\xff\xd9", b"\xff\xda\x00\x08", b"\xff\xff"])
        elif how == "remove":
            del segments[place]
            if not segments:
                break
        elif how == "repeat":
            segments[place:place] = [list(segments[place])] * numbers.choice([1, 2, 50])
        elif how == "type":
            segments[place][0] = numbers.choice(JPEG_MARKERS)
        else:
            other = numbers.randrange(len(segments))
            segments[place], segments[other] = segments[other], segments[place]
    return jpeg_bytes(segments, scans)


# NPY

def mutate_npy(data, numbers):
    length, = struct.unpack_from("<H", data, 8)
    header, body = data[10:10 + length], data[10 + length:]
    try:
        fields = ast.literal_eval(header.decode("latin-1").strip())
    except (ValueError, SyntaxError):
        return mutate_bytes(data, numbers)
    how = numbers.choice(["shape", "shape", "descr", "order", "text", "body", "version"])
    version = b"\x01\x00"
    if how == "shape":
        shape = list(fields["shape"])
        for _ in range(numbers.choice([1, 1, 2])):
            action = numbers.choice(["set", "set", "add", "remove", "many", "beside zero"])
            if action == "set" and shape:
                shape[numbers.randrange(len(shape))] = numbers.choice(NUMBERS + [-1, -2**63])
            elif action == "add":
                shape.insert(numbers.randrange(len(shape) + 1), numbers.choice([0, 1, 2, 2**32, 2**62]))
            elif action == "remove" and shape:
                del shape[numbers.randrange(len(shape))]
            elif action == "many":
                shape += [1] * numbers.choice([20, 70, 1000])
            elif action == "beside zero":
                # No element, and parts that would have very many.
                shape = [numbers.choice([0, 0, 1, 3, 2**20, 2**31, 2**40, 2**60]) for _ in range(numbers.choice([2, 3, 4]))]
        fields["shape"] = tuple(shape)
    elif how == "descr":
        fields["descr"] = numbers.choice(
            ["|u1", "<u2", ">u8", "<f2", "<f4", ">f8", "|b1", "|S3", "<U4", "|O", "<c8", "<M8[ns]", "|V4", "<i99", "",
             "<U999999999999", [("a", "<i4")], "|S0", "=f4", "<f16"])
    elif how == "order":
        fields["fortran_order"] = numbers.choice([True, False, None, 2])
    text = repr(fields).encode("latin-1")
    if how == "text":
        text = mutate_bytes(text, numbers, [b"(" * 5000, b"{" * 300, b"'", b"9" * 400, b"True", b"0x10", b"1e5", b"\\x00"])
    if how == "body":
        body = mutate_bytes(body, numbers)
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    if how == "version":
        version = bytes([numbers.choice([0, 1, 2, 3, 4, 255]), numbers.choice([0, 1])])
    if len(text) > 65535 or version[0] in (2, 3):
        return b"\x93NUMPY" + (version if version[0] in (2, 3) else b"\x02\x00") + struct.pack("<I", len(text)) + text + body
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + body


# ZIP

def zip_members(data):
    """The members (name, method, content) of a ZIP file, by its central directory."""
    end = data.rfind(b"PK\x05\x06")
    count, _, place = struct.unpack_from("<HII", data, end + 10)
    members = []
    for _ in range(count):
        method, = struct.unpack_from("<H", data, place + 10)
        packed, size, name, extra, comment = struct.unpack_from("<IIHHH", data, place + 20)
        start, = struct.unpack_from("<I", data, place + 42)
        local_name, local_extra = struct.unpack_from("<HH", data, start + 26)
        content = data[start + 30 + local_name + local_extra:][:packed]
        if method == 8:
            content = zlib.decompress(content, -15)
        members.append([data[place + 46:place + 46 + name], method, content])
        place += 46 + name + extra + comment
    return members


def zip_bytes(members, numbers=None):
    """A ZIP file of members; with random numbers, one or two of its fields are wrong."""
    def wrong(value, width):
        if numbers is None or numbers.random() > 0.06:
            return value
        return interesting(numbers, max(1, value)) & (1 << 8 * width) - 1

    body, directory = b"", b""
    for name, method, content in members:
        packed = content
        if method == 8:
            packer = zlib.compressobj(6, zlib.DEFLATED, -15)
            packed = packer.compress(content) + packer.flush()
        crc = zlib.crc32(content)
        start = len(body)
        flags, extra = 0, b""
        if numbers is not None and numbers.random() < 0.05:
            extra = struct.pack("<HHQQQ", 1, 24, wrong(len(content), 8), wrong(len(packed), 8), wrong(start, 8))
        body += struct.pack(
            "<IHHHHHIIIHH", 0x04034B50, 20, wrong(flags, 2), wrong(method, 2), 0, 33, wrong(crc, 4), wrong(len(packed), 4),
            wrong(len(content), 4), wrong(len(name), 2), 0) + name + packed
        sizes = (0xFFFFFFFF, 0xFFFFFFFF) if extra else (wrong(len(packed), 4), wrong(len(content), 4))
        directory += struct.pack(
            "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, wrong(flags, 2), wrong(method, 2), 0, 33, crc, *sizes,
            wrong(len(name), 2), wrong(len(extra), 2), 0, 0, 0, 0, 0xFFFFFFFF if extra else wrong(start, 4)) + name + extra
    return body + directory + struct.pack(
        "<IHHHHIIH", 0x06054B50, 0, 0, wrong(len(members), 2), wrong(len(members), 2), wrong(len(directory), 4),
        wrong(len(body), 4), 0)


def mutate_zip(data, numbers):
    members = zip_members(data)
    how = numbers.choice(["content", "content", "content", "fields", "fields", "names", "repeat", "remove", "method"])
    place = numbers.randrange(len(members))
    if how == "content":
        name, _, content = members[place]
        kind = "npy" if name.endswith(b".npy") else "pickle" if name.endswith(b".pkl") else "bytes"
        members[place][2] = mutate(kind, content, numbers)
    elif how == "names":
        members[place][0] = numbers.choice(
            [b"", b"../x.npy", b"x" * 65000, b"\xff\xfe.npy", b"a\x00b.npy", b"\x1b[31m.npy", members[0][0], b"data.pkl"])
    elif how == "repeat":
        members += [list(members[place])] * numbers.choice([1, 1, 50])
    elif how == "remove":
        del members[place]
    elif how == "method":
        members[place][1] = 8 - members[place][1] if members[place][1] in (0, 8) else 0
    return zip_bytes(members, numbers if how == "fields" else None)


PICKLE_WORDS = [b"cos\nsystem\n", b"(", b")", b"t", b"R", b".", b"0", b"1", b"2", b"]", b"}", b"u", b"s", b"a", b"e", b"h\x00",
                b"q\x00", b"j\xff\xff\xff\x7f", b"\x8a\x08" + b"\xff" * 8, b"X\xff\xff\xff\x7f", b"\x85", b"\x86", b"\x87",
                b"Q", b"b", b"((((((((", b"]]]]]]]]", b"K\x00", b"M\xff\xff", b"J\xff\xff\xff\x7f", b"N", b"\x88", b"\x89",
                b"G\x7f\xf0\x00\x00\x00\x00\x00\x00", b"\x8b\xff\xff\xff\x7f", b"\x94", b"\x93", b"\x95" + b"\xff" * 8]


# JSON and text

def mutate_value(value, numbers):
    how = numbers.choice(["deep", "number", "text", "odd", "drop", "double", "wrap", "swap"])
    if how == "number":
        return numbers.choice(NUMBERS + [-1, -0.0, 0.5, 1e308, 5e-324, -2**63, 1.5e9])
    if how == "text":
        return numbers.choice(["", "x" * 10000, "\x1b[31mred", "\u202egnp", "\x00", "nan", "-1", "../../x", "\ud7ff", "é"])
    if how == "odd":
        return numbers.choice([None, True, [], {}, [[]], [None], [1, 2], {"size": [2**31, 2**31], "counts": "0"}])
    if how == "wrap":
        for _ in range(numbers.choice([1, 3, 200, 300])):
            value = [value]
        return value
    if isinstance(value, dict) and value:
        value = dict(value)
        key = numbers.choice(sorted(value))
        if how == "drop":
            del value[key]
        elif how == "double":
            value[key + numbers.choice(["", " ", "2"])] = value[key]
        else:
            value[key] = mutate_value(value[key], numbers)
        return value
    if isinstance(value, list) and value:
        value = list(value)
        place = numbers.randrange(len(value))
        if how == "drop":
            del value[place]
        elif how == "double":
            value[place:place] = [value[place]] * numbers.choice([1, 2, 300])
        elif how == "swap":
            value.reverse()
        else:
            value[place] = mutate_value(value[place], numbers)
        return value
    return numbers.choice([value, 0, None, "x", -1, 2**40])


def descend(value, numbers):
    """Damages something a few steps inside, more often than the whole."""
    if isinstance(value, dict) and value and numbers.random() < 0.85:
        value = dict(value)
        key = numbers.choice(sorted(value))
        value[key] = descend(value[key], numbers)
        return value
    if isinstance(value, list) and value and numbers.random() < 0.85:
        value = list(value)
        place = numbers.randrange(len(value))
        value[place] = descend(value[place], numbers)
        return value
    return mutate_value(value, numbers)


JSON_WORDS = [b"[" * 300, b"{" * 10, b"NaN", b"-Infinity", b"1e999", b"-", b"\\ud800", b"\\u0000", b"\xef\xbb\xbf", b"//", b"9" * 500,
              b'"a":1,"a":2', b",,", b"\x00"]


def mutate_json(data, numbers):
    if data.count(b"\n") > 1 and data.lstrip()[:1] == b"{" and b"\n{" in data:
        lines = data.split(b"\n")
        place = numbers.randrange(len(lines))
        if numbers.random() < 0.3:
            lines[place:place] = [lines[place]] * numbers.choice([1, 100])
        elif lines[place]:
            lines[place] = json.dumps(descend(json.loads(lines[place]), numbers)).encode()
        return b"\n".join(lines)
    value = json.loads(data)
    for _ in range(numbers.choice([1, 1, 2, 4])):
        value = descend(value, numbers)
    return json.dumps(value, ensure_ascii=numbers.random() < 0.5).encode("utf-8", "surrogatepass")


CSV_WORDS = [b'"', b'""', b",", b";", b"\t", b"|", b"\r", b"\n", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"nan", b"-1", b"1e400",
             b"../", b"/etc/passwd", b"x" * 5000, b"\x1b[31m", b",,,,", b"99999999999999999999"]


def mutate_csv(data, numbers):
    lines = [line.split(b",") for line in data.split(b"\n")]
    for _ in range(numbers.choice([1, 1, 2, 5])):
        line = numbers.choice(lines)
        place = numbers.randrange(len(line))
        how = numbers.choice(["field", "field", "drop", "add", "repeat", "case", "lines"])
        if how == "field":
            line[place] = numbers.choice(CSV_WORDS + [b"", b"0", b"1.5", b'"a,b"', b'"a""b"', str(numbers.choice(NUMBERS)).encode()])
        elif how == "drop" and len(line) > 1:
            del line[place]
        elif how == "add":
            line.insert(place, b"new")
        elif how == "repeat":
            lines += [list(line)] * numbers.choice([1, 200])
        elif how == "case":
            line[place] = line[place].swapcase()
        else:
            numbers.shuffle(lines)
    text = b"\n".join(b",".join(line) for line in lines)
    if numbers.random() < 0.1:
        text = text.decode("latin-1").encode(numbers.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig"]))
    return text


# Others

def mutate_gzip(data, numbers):
    content = gzip.decompress(data)
    how = numbers.choice(["content", "content", "members", "trailer", "header"])
    if how == "content":
        return gzip.compress(mutate("idx", content, numbers), mtime=0)
    if how == "members":
        cut = numbers.randrange(len(content))
        pieces = [content[:cut], b"", content[cut:]] * numbers.choice([1, 2, 30])
        return b"".join(gzip.compress(piece, mtime=0) for piece in pieces)
    packed = bytearray(gzip.compress(content, mtime=0))
    if how == "trailer":
        packed[-4:] = struct.pack("<I", interesting(numbers, len(content)) & 0xFFFFFFFF)
    else:
        packed[2 + numbers.randrange(8)] = numbers.randrange(256)
    return bytes(packed)


def mutate_idx(data, numbers):
    rank = data[3]
    extents = list(struct.unpack_from(f">{rank}I", data, 4))
    body = data[4 + 4 * rank:]
    kind = data[2]
    how = numbers.choice(["extent", "extent", "rank", "type", "body"])
    if how == "extent" and extents:
        extents[numbers.randrange(rank)] = numbers.choice(NUMBERS) & 0xFFFFFFFF
        if numbers.random() < 0.2:
            extents = [numbers.choice([0, 0, 1, 65536, 2**32 - 1]) for _ in range(numbers.choice([2, 3, 4]))]
    elif how == "rank":
        extents += [1] * numbers.choice([1, 30, 200])
    elif how == "type":
        kind = numbers.choice([0, 8, 9, 11, 12, 13, 14, 255])
    else:
        body = mutate_bytes(body, numbers)
    return bytes([0, 0, kind, len(extents) & 255]) + struct.pack(f">{len(extents)}I", *extents) + body


def mutate_safetensors(data, numbers):
    length, = struct.unpack_from("<Q", data)
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    how = numbers.choice(["header", "header", "header", "offsets", "length", "body"])
    if how == "header":
        header = descend(header, numbers)
    elif how == "offsets":
        name = numbers.choice([name for name in sorted(header) if name != "__metadata__"])
        key = numbers.choice(["data_offsets", "shape", "dtype"])
        header[name][key] = {
            "data_offsets": [interesting(numbers, len(body)), interesting(numbers, len(body))],
            "shape": [interesting(numbers, len(body)) for _ in range(numbers.choice([0, 1, 2, 100]))],
            "dtype": numbers.choice(["F16", "BF16", "F64", "I64", "BOOL", "F8_E4M3", "", "C64"])}[key]
    elif how == "body":
        body = mutate_bytes(body, numbers)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    stated = interesting(numbers, len(text)) & 2**64 - 1 if how == "length" else len(text)
    return struct.pack("<Q", stated) + text + body


STRUCTURED = {
    "png": mutate_png, "jpeg": mutate_jpeg, "npy": mutate_npy, "zip": mutate_zip, "json": mutate_json, "csv": mutate_csv, "gzip": mutate_gzip,
    "idx": mutate_idx, "safetensors": mutate_safetensors,
}
WORDS = {"pickle": PICKLE_WORDS, "json": JSON_WORDS, "csv": CSV_WORDS, "png": PNG_CHUNKS,
         "jpeg": [bytes([0xFF, marker]) for marker in JPEG_MARKERS]}


def mutate(kind, data, numbers):
    """A damaged copy of a sound file."""
    if kind in STRUCTURED and numbers.random() < 0.6:
        try:
            data = STRUCTURED[kind](data, numbers)
        except (ValueError, struct.error, zlib.error, OSError, IndexError, KeyError, TypeError, RecursionError, AttributeError):
            # Damage upon damage: what cannot be taken apart any more is damaged as bytes.
            return mutate_bytes(data, numbers, WORDS.get(kind, ()))
        if numbers.random() < 0.85:
            return data
    return mutate_bytes(data, numbers, WORDS.get(kind, ()))
