#!/usr/bin/env python3
"""Makes glyphs.bin of GNU Unifont 15.0.01, from the file unifont.otf of Debian's package fonts-unifont.

    generate.py /usr/share/fonts/opentype/unifont/unifont.otf

The font is drawn on a grid of 16 pixels, so its outlines are its bitmaps. The file is a zlib stream of 65,536 bytes, the
width of each code point's glyph in cells of 8 pixels (0 where the font has none), and then each glyph's 16 rows, one byte
or two a row, the highest bit on the left. Marks that combine with the letter before them lose the dotted circle that the
font puts in the letter's place. Needs Pillow and fontTools.
"""

import sys
import unicodedata
import zlib
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

SIZE = 16


def rows(font, text, cells, left=0):
    image = Image.new("1", (8 * cells, SIZE))
    ImageDraw.Draw(image).text((left, 0), text, font=font, fill=1)
    return image.tobytes()


def is_drawn(code):
    # Neither private characters nor what has no form of its own; Hangul has its syllables.
    return unicodedata.category(chr(code)) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def main():
    path = sys.argv[1]
    font = ImageFont.truetype(path, SIZE, layout_engine=ImageFont.Layout.BASIC)
    known = TTFont(path).getBestCmap()
    circle = rows(font, "\u25cc", 1)
    widths, glyphs = bytearray(65536), bytearray()
    for code in sorted(known):
        if code > 0xFFFF or not is_drawn(code):
            continue
        cells = round(font.getlength(chr(code)) / 8) or 1
        # What has no width stands over the letter before it, left of where it would be drawn.
        glyph = rows(font, chr(code), cells, 0 if font.getlength(chr(code)) else 8 * cells)
        if unicodedata.category(chr(code)) in {"Mn", "Me"} and cells == 1:
            glyph = bytes(row & ~dots for row, dots in zip(glyph, circle))
        widths[code] = cells
        glyphs += glyph
    content = zlib.compress(bytes(widths + glyphs), 9)
    Path(__file__).with_name("glyphs.bin").write_bytes(content)
    print(f"{sum(map(bool, widths))} glyphs, {len(widths) + len(glyphs)} bytes, {len(content)} compressed")


if __name__ == "__main__":
    main()
